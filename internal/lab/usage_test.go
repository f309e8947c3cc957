package lab

import (
	"os"
	"testing"
)

func TestUsageOf(t *testing.T) {
	before, err := UsageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	ballast := make([]byte, 64<<20)
	for i := range ballast {
		ballast[i] = 1
	}
	after, err := UsageOf(os.Getpid())
	if err != nil || after.Files != before.Files+1 || after.Memory < before.Memory+len(ballast)/2 || after.Threads < 2 || after.Started != before.Started {
		t.Errorf("got %+v, %v after %+v", after, err, before)
	}
	if _, err := UsageOf(1 << 30); err == nil {
		t.Error("a process that is not there has a usage")
	}
	ballast[0] = 2
}
