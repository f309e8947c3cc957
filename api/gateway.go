package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/textproto"
	"reflect"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// asJSON writes messages as buoyctl -o json does: the fields' names in the API,
// and every field.
var asJSON = &jsonForm{runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}}}

// inside is a connection within the process to a gRPC server: what comes over
// HTTP goes through the same checks as what comes over gRPC.
func inside(server *grpc.Server) (*grpc.ClientConn, *bufconn.Listener, error) {
	pipe := bufconn.Listen(1 << 16)
	conn, err := grpc.NewClient("passthrough:///inside",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)))
	return conn, pipe, err
}

// newGateway makes gRPC requests of HTTP requests, by the google.api.http rules
// of the .proto files.
func newGateway(ctx context.Context, conn *grpc.ClientConn) (http.Handler, error) {
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, asJSON),
		runtime.WithMiddlewares(strictly(httpRules())),
		runtime.WithIncomingHeaderMatcher(func(header string) (string, bool) {
			return projectKey, textproto.CanonicalMIMEHeaderKey(header) == projectHeader
		}),
		runtime.WithMetadata(gatewayPeer),
		runtime.WithOutgoingHeaderMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithOutgoingTrailerMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithDisablePathLengthFallback(), // what a form is sent to is not something else
		runtime.WithErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
			refuse(w, ofGateway(err))
		}),
		runtime.WithRoutingErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
			refuse(w, unroutable(r, code))
		}),
	)
	for _, register := range []func(context.Context, *runtime.ServeMux, *grpc.ClientConn) error{
		buoyv1.RegisterNetworksHandler,
		buoyv1.RegisterPoolsHandler,
		buoyv1.RegisterComputeNodesHandler,
		buoyv1.RegisterNeighborsHandler,
		buoyv1.RegisterFloatingIPsHandler,
		buoyv1.RegisterRoutesHandler,
		buoyv1.RegisterExplanationsHandler,
		buoyv1.RegisterExaminationsHandler,
		buoyv1.RegisterGlobalsHandler,
		buoyv1.RegisterConfigurationsHandler,
		buoyv1.RegisterWatchesHandler,
		buoyv1.RegisterEventsHandler,
		buoyv1.RegisterDaemonHandler,
	} {
		if err := register(ctx, mux, conn); err != nil {
			return nil, err
		}
	}
	return mux, nil
}

func httpStatusOf(code codes.Code) int { return runtime.HTTPStatusFromCode(code) }

// unroutable refuses a request for which there is no method.
func unroutable(r *http.Request, code int) error {
	const help = "GET /openapi.json lists what there is"
	if code == http.StatusMethodNotAllowed {
		return &httpError{code, codes.Unimplemented, fmt.Errorf("%s has no %s; %s", r.URL.Path, r.Method, help)}
	}
	return &httpError{code, codes.NotFound, fmt.Errorf("there is no %s; %s", r.URL.Path, help)}
}

// ofGateway is an error as it is told. What the gateway itself refuses has no
// details: it is about the body, or else about the query.
func ofGateway(err error) error {
	s := status.Convert(err)
	if s.Code() != codes.InvalidArgument || len(s.Details()) > 0 {
		return err
	}
	if text, ok := strings.CutPrefix(s.Message(), inBody); ok {
		return invalid("body", errors.New(text))
	}
	return invalid("query", errors.New(s.Message()))
}

// inBody marks the errors of a body, of which the gateway keeps the text alone.
const inBody = "body: "

// jsonForm reads and writes JSON. Unlike the gateway's own form it takes
// nothing behind the message and no fields that the message does not have.
type jsonForm struct{ runtime.JSONPb }

// Marshal writes a line. protojson varies its blanks on purpose, and scripts
// look for text.
func (f *jsonForm) Marshal(v any) ([]byte, error) {
	data, err := f.JSONPb.Marshal(v)
	if err != nil {
		return nil, err
	}
	var line bytes.Buffer
	if err := json.Compact(&line, data); err != nil {
		return nil, err
	}
	line.WriteByte('\n')
	return line.Bytes(), nil
}

// Delimiter is what stands between the messages of a stream: they end their
// lines themselves.
func (*jsonForm) Delimiter() []byte { return nil }

func (f *jsonForm) Unmarshal(data []byte, v any) error {
	return f.NewDecoder(bytes.NewReader(data)).Decode(v)
}

func (*jsonForm) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		data, err := io.ReadAll(r)
		if err != nil || len(bytes.TrimSpace(data)) == 0 {
			return err
		}
		if err := protojson.Unmarshal(data, messageAt(v)); err != nil {
			text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
			return errors.New(inBody + strings.TrimPrefix(text, "proto: "))
		}
		return nil
	})
}

// messageAt is the message to be read: v itself, or what the field is to have
// that v points to.
func messageAt(v any) proto.Message {
	if m, ok := v.(proto.Message); ok {
		return m
	}
	field := reflect.ValueOf(v).Elem()
	field.Set(reflect.New(field.Type().Elem()))
	return field.Interface().(proto.Message)
}

// StreamContentType is that of a stream: each line is a message.
func (*jsonForm) StreamContentType(any) string { return "application/x-ndjson" }
