"""A collector made of what the OpenTelemetry project publishes for Python: its messages read what is
sent, and its list of names says which it does not know. Prints one line of JSON for each request."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.semconv._incubating.attributes import (
    error_attributes,
    gen_ai_attributes,
    server_attributes,
    service_attributes,
)

KNOWN = {
    value
    for module in (error_attributes, gen_ai_attributes, server_attributes, service_attributes)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str)
}


def value(it):
    kind = it.WhichOneof("value")
    if kind == "array_value":
        return [value(each) for each in it.array_value.values]
    return getattr(it, kind)


def attributes(all):
    return {it.key: value(it.value) for it in all}


class Collector(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        told = {"path": self.path, "type": self.headers["content-type"], "key": self.headers["x-key"]}
        request = ExportTraceServiceRequest.FromString(body)
        spans = []
        for resource in request.resource_spans:
            told["resource"] = attributes(resource.resource.attributes)
            for scope in resource.scope_spans:
                told["scope"] = scope.scope.name
                for span in scope.spans:
                    spans.append(
                        {
                            "trace": span.trace_id.hex(),
                            "span": span.span_id.hex(),
                            "parent": span.parent_span_id.hex(),
                            "name": span.name,
                            "kind": span.kind,
                            "began": span.start_time_unix_nano,
                            "ended": span.end_time_unix_nano,
                            "status": [span.status.code, span.status.message],
                            "links": [[it.trace_id.hex(), it.span_id.hex()] for it in span.links],
                            "attributes": attributes(span.attributes),
                        }
                    )
        told["spans"] = spans
        names = {name for span in spans for name in span["attributes"]} | set(told["resource"])
        told["unknown"] = sorted(names - KNOWN)
        # Fields that the messages do not know would come back longer than they are read.
        told["whole"] = len(request.SerializeToString()) == len(body)
        answer = ExportTraceServiceResponse()
        rejected = sum(1 for span in spans if span["name"] == "chat refused")
        if rejected:
            answer.partial_success.rejected_spans = rejected
            answer.partial_success.error_message = "one is refused"
        answer = answer.SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        print(json.dumps(told), flush=True)


server = HTTPServer(("127.0.0.1", 0), Collector)
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
