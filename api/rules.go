package api

import (
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectalpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// rule says what a method is to a viewer.
type rule uint8

// The rules. A method without one is the operator's.
const (
	operators rule = iota // not for a viewer
	reads                 // the method itself leaves out what the viewer must not see
	creates               // only in the viewer's project, whether or not the name is taken
	changes               // only what is the viewer's; what it cannot see does not exist
)

// rules has each method that is for viewers too, and those that are not.
var rules = map[string]rule{
	buoyv1.Networks_CreateNetwork_FullMethodName: creates,
	buoyv1.Networks_GetNetwork_FullMethodName:    reads,
	buoyv1.Networks_ListNetworks_FullMethodName:  reads,
	buoyv1.Networks_UpdateNetwork_FullMethodName: changes,
	buoyv1.Networks_DeleteNetwork_FullMethodName: changes,

	buoyv1.Pools_CreatePool_FullMethodName:       creates,
	buoyv1.Pools_GetPool_FullMethodName:          reads,
	buoyv1.Pools_ListPools_FullMethodName:        reads,
	buoyv1.Pools_UpdatePool_FullMethodName:       changes,
	buoyv1.Pools_DeletePool_FullMethodName:       changes,
	buoyv1.Pools_BindPool_FullMethodName:         operators,
	buoyv1.Pools_UnbindPool_FullMethodName:       operators,
	buoyv1.Pools_GetPoolBinding_FullMethodName:   reads,
	buoyv1.Pools_ListPoolBindings_FullMethodName: reads,

	buoyv1.FloatingIPs_Allocate_FullMethodName:         creates,
	buoyv1.FloatingIPs_Associate_FullMethodName:        changes,
	buoyv1.FloatingIPs_Disassociate_FullMethodName:     changes,
	buoyv1.FloatingIPs_Move_FullMethodName:             changes,
	buoyv1.FloatingIPs_UpdateFloatingIP_FullMethodName: changes,
	buoyv1.FloatingIPs_Release_FullMethodName:          changes,
	buoyv1.FloatingIPs_BatchAllocate_FullMethodName:    creates,
	buoyv1.FloatingIPs_BatchAssociate_FullMethodName:   changes,
	buoyv1.FloatingIPs_BatchRelease_FullMethodName:     changes,
	buoyv1.FloatingIPs_GetFloatingIP_FullMethodName:    reads,
	buoyv1.FloatingIPs_ListFloatingIPs_FullMethodName:  reads,

	buoyv1.ComputeNodes_CreateComputeNode_FullMethodName: operators,
	buoyv1.ComputeNodes_GetComputeNode_FullMethodName:    reads,
	buoyv1.ComputeNodes_ListComputeNodes_FullMethodName:  reads,
	buoyv1.ComputeNodes_UpdateComputeNode_FullMethodName: operators,
	buoyv1.ComputeNodes_DeleteComputeNode_FullMethodName: operators,

	buoyv1.ComputeNodes_DrainComputeNode_FullMethodName:   operators,
	buoyv1.ComputeNodes_UndrainComputeNode_FullMethodName: operators,

	buoyv1.ComputeStreams_Attach_FullMethodName: operators,

	buoyv1.Neighbors_CreateNeighbor_FullMethodName: operators,
	buoyv1.Neighbors_GetNeighbor_FullMethodName:    reads,
	buoyv1.Neighbors_ListNeighbors_FullMethodName:  reads,
	buoyv1.Neighbors_UpdateNeighbor_FullMethodName: operators,
	buoyv1.Neighbors_DeleteNeighbor_FullMethodName: operators,

	buoyv1.Daemon_Shutdown_FullMethodName: operators,

	buoyv1.Configurations_Apply_FullMethodName:  creates, // see ruleFor
	buoyv1.Configurations_Export_FullMethodName: reads,

	buoyv1.Globals_GetGlobal_FullMethodName:    reads,
	buoyv1.Globals_UpdateGlobal_FullMethodName: operators,

	buoyv1.Routes_ListRoutes_FullMethodName:  reads,
	buoyv1.Routes_WatchRoutes_FullMethodName: reads,

	buoyv1.Explanations_Explain_FullMethodName: reads,

	buoyv1.Examinations_Examine_FullMethodName: operators,

	buoyv1.Watches_Watch_FullMethodName: reads,

	buoyv1.Events_ListEvents_FullMethodName:  reads,
	buoyv1.Events_WatchEvents_FullMethodName: reads,

	healthpb.Health_Check_FullMethodName: reads,
	healthpb.Health_List_FullMethodName:  reads,
	healthpb.Health_Watch_FullMethodName: reads,

	reflectpb.ServerReflection_ServerReflectionInfo_FullMethodName:    reads, // it shows no resources
	reflectalpha.ServerReflection_ServerReflectionInfo_FullMethodName: reads,
}
