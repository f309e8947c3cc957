module github.com/buoynet/buoy

go 1.26

// Go listens with Multipath TCP by default. The kernel then refuses TCP MD5 and
// GTSM on the listener, and an unauthenticated peer may get in.
godebug multipathtcp=0
