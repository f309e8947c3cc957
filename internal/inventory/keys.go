package inventory

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/buoynet/buoy/vrf"
)

// The keys of the store; see the package documentation.
const (
	globalKey        = "global"
	networkPrefix    = "network/"
	poolPrefix       = "pool/"
	bindingPrefix    = "binding/"
	nodePrefix       = "node/"
	neighborPrefix   = "neighbor/"
	floatingIPPrefix = "fip/"
	interfacePrefix  = "iface/"
	restingPrefix    = "resting/"
	cursorPrefix     = "cursor/"
	networkIDPrefix  = "netid/"
	addressPrefix    = "addr/"
	nodeAddrPrefix   = "nodeaddr/"
	routerIDPrefix   = "routerid/"
	neighborAddrPref = "neighboraddr/"
	labelPrefix      = "label/"
	answerPrefix     = "answer/"
)

// claimPrefixes are those of the keys that only make something unique.
var claimPrefixes = []string{networkIDPrefix, addressPrefix, nodeAddrPrefix, routerIDPrefix, neighborAddrPref, labelPrefix}

func networkIDKey(id uint16) string { return networkIDPrefix + strconv.Itoa(int(id)) }

func addressesOf(networkID uint16) string {
	return addressPrefix + strconv.Itoa(int(networkID)) + "/"
}

func addressKey(networkID uint16, addr netip.Addr) string {
	return addressesOf(networkID) + addr.String()
}

// poolsOf begins the keys of a network's pools.
func poolsOf(network string) string { return poolPrefix + PoolName(network, "") }

func interfacesOf(node string) string { return interfacePrefix + ShortName(node) + "/" }

func interfaceKey(node, name string) string { return interfacesOf(node) + name }

func labelKey(node string, label vrf.Label) string {
	return fmt.Sprintf("%s%s/%d", labelPrefix, ShortName(node), label)
}

func restingOf(node string) string { return restingPrefix + ShortName(node) + "/" }

func restingKey(node string, label vrf.Label) string {
	return restingOf(node) + strconv.Itoa(int(label))
}

// put writes a resource as JSON.
func put(key string, expect Version, resource any) Mutation {
	value, err := json.Marshal(resource)
	if err != nil {
		panic(fmt.Sprintf("inventory: marshal %s: %v", key, err)) // every resource is plain data
	}
	return Mutation{Op: Put, Key: key, Expect: expect, Value: value, resource: resource}
}

// claim takes a key that stands for something unique. The value is its holder.
func claim(key, holder string) Mutation {
	return Mutation{Op: Put, Key: key, Expect: Absent, Value: []byte(holder)}
}

// free gives up such a key. The version of its holder, which the same commit
// checks, guards it.
func free(key string) Mutation { return Mutation{Op: Delete, Key: key, Expect: AnyVersion} }

func remove(key string, expect Version) Mutation {
	return Mutation{Op: Delete, Key: key, Expect: expect}
}

func check(key string, expect Version) Mutation { return Mutation{Op: Check, Key: key, Expect: expect} }

func checkPrefix(prefix string, newest Version) Mutation {
	return Mutation{Op: CheckPrefix, Key: prefix, Expect: newest}
}
