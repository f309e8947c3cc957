package api

import (
	"context"
	"time"

	"github.com/buoynet/buoy/internal/doctor"
	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

type examinationService struct {
	buoyv1.UnimplementedExaminationsServer
	view
}

func (s *examinationService) Examine(context.Context, *buoyv1.ExamineRequest) (*buoyv1.Examination, error) {
	return examinationToProto(doctor.Examine(s.examinable(s.Inventory.State()))), nil
}

// examinable is what examinations are made from.
func (v view) examinable(state *inventory.State) doctor.Snapshot {
	s := doctor.Snapshot{Snapshot: v.explainable(state), Machine: doctor.Machine{Now: time.Now()}}
	if v.Machine != nil {
		s.Machine = v.Machine()
	}
	// What all is judged by is what is explained.
	seen := &observed{view: v, state: state, table: v.Routes(), sessions: s.Sessions, living: s.Living}
	s.Table = seen.table
	s.Judge = func(f *inventory.FloatingIP) (doctor.State, bool) {
		judged := seen.floatingIP(f)
		return judgements[judged.state], judged.partly
	}
	return s
}

var judgements = map[buoyv1.FloatingIP_State]doctor.State{
	buoyv1.FloatingIP_ADVERTISED: doctor.Advertised,
	buoyv1.FloatingIP_PENDING:    doctor.Pending,
	buoyv1.FloatingIP_WITHHELD:   doctor.Withheld,
}

func examinationToProto(e doctor.Examination) *buoyv1.Examination {
	p := &buoyv1.Examination{Healthy: e.Healthy, Summary: e.Summary}
	for _, f := range e.Findings {
		p.Findings = append(p.Findings, &buoyv1.Finding{Id: f.ID, Severity: severityToProto[f.Severity], Area: f.Area.String(), Subject: f.Subject,
			Cause: f.Cause, Remedy: f.Remedy, Since: timestamp(f.Since), Count: f.Count, Examples: f.Examples})
	}
	for _, x := range e.Examined {
		p.Examined = append(p.Examined, &buoyv1.Examined{Area: x.Area.String(), Severity: severityToProto[x.Severity], Text: x.Text})
	}
	return p
}

var severityToProto = map[doctor.Severity]buoyv1.Finding_Severity{
	doctor.Fine:    buoyv1.Finding_FINE,
	doctor.Info:    buoyv1.Finding_INFO,
	doctor.Warning: buoyv1.Finding_WARNING,
	doctor.Error:   buoyv1.Finding_ERROR,
}
