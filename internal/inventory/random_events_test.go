package inventory

// events are what must happen: nothing was left out.
var events = []string{
	"stale, refused", "stale, conflict", "stale, carried out", "refused in a draft", "rested",
	"stale draft, conflict", "stale draft, carried out", "draft, carried out", "draft upon draft",
	"inventory.CreateNetwork", "inventory.UpdateNetwork", "inventory.DeleteNetwork", "inventory.CreateComputeNode",
	"inventory.UpdateComputeNode", "inventory.DeleteComputeNode", "inventory.CreateNeighbor", "inventory.UpdateNeighbor",
	"inventory.DeleteNeighbor", "inventory.Allocate", "inventory.Associate", "inventory.Disassociate", "inventory.Release",
	"inventory.CreatePool", "inventory.UpdatePool", "inventory.DeletePool", "inventory.BindPool", "inventory.UnbindPool",
	"inventory.UpdateFloatingIP", "inventory.Move", "inventory.SetGlobal", "inventory.DrainComputeNode", "inventory.UndrainComputeNode",
	"inventory.FinishDrain",
	ReasonInvalid, ReasonNotFound, ReasonExists, ReasonAddressTaken, ReasonOutsideSubnets, ReasonReserved, ReasonRouterIDTaken,
	ReasonAutomatic, ReasonOverlap, ReasonLabelTaken, ReasonLabelDiffers, ReasonAssociated, ReasonNotAssociated, ReasonAmbiguous,
	ReasonFamilyMismatch, ReasonInUse, ReasonReadOnly, ReasonOutsidePool, ReasonInPool, ReasonPoolExhausted, ReasonNetExhausted,
	ReasonNotShared, ReasonOtherProject, ReasonNoPool, ReasonBoundPool, ReasonPoolsOverlap, ReasonOutsideNetwork,
	ReasonLabelResting, ReasonLabelExhausted, ReasonTargetCollides,
}
