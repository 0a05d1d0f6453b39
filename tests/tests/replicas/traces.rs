//! What a collector and a scraper get: one trace for a call through all services, figures by known methods, nothing of persons.

use std::sync::{Arc, Mutex};

use insights_testkit::{Plan, Shape, TempDatabase, found, free_address, until, wire::EMPTY, wire::Wire};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use tonic::{Request, Response, Status};

use crate::{
    caller::{Caller, PARTNER, PATIENCE},
    platform::get,
};

/// Spans with the service that sent them.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, Span)>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut spans = self.0.lock().expect("the spans");
        for sent in request.into_inner().resource_spans {
            let attributes = sent.resource.unwrap_or_default().attributes;
            let name =
                attributes.into_iter().find(|pair| pair.key == "service.name").and_then(|pair| pair.value?.value);
            let Some(Value::StringValue(name)) = name else { panic!("who sends spans says so") };
            spans.extend(sent.scope_spans.into_iter().flat_map(|scope| scope.spans).map(|span| (name.clone(), span)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn start(&self) -> String {
        let address = free_address();
        let service = TraceServiceServer::new(self.clone());
        tokio::spawn(tonic::transport::Server::builder().add_service(service).serve(address));
        format!("http://{address}")
    }

    /// The span of a trace by its name and kind.
    fn find(&self, trace: &[u8], name: &str, kind: SpanKind) -> Option<(String, Span)> {
        let spans = self.0.lock().expect("the spans");
        let is = |(_, span): &&(String, Span)| span.trace_id == trace && span.name == name && span.kind() == kind;
        spans.iter().find(is).cloned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_one_trace_through_all_services_and_is_counted_by_its_method() {
    let collector = Collector::default();
    let endpoint = collector.start().await;
    let admin = free_address().to_string();
    let plan = Plan::new(TempDatabase::postgres());
    let shape = Shape { ingestion: 1, metrics: 1, reporting: 1 };
    let watched = |service: &str, _: usize, spec: insights_testkit::Spec| {
        let spec = spec.set("telemetry.otlp_endpoint", &endpoint).variable("OTEL_BSP_SCHEDULE_DELAY", 200);
        if service == "reporting" { spec.set("admin_address", &admin) } else { spec }
    };
    let cluster = plan.start(shape, watched).await;
    let caller = Caller::of(&cluster);
    let version = caller.ingest_customers(0..3).await;
    caller.visible(version).await;

    let (trace, parent) = ([0xab; 16], [0xcd; 8]);
    let mut request = caller.request(
        insights_proto::reporting::v1::QueryRequest {
            query: Some(crate::caller::questions()[0].clone()),
            ..Default::default()
        },
        PATIENCE,
    );
    let context = format!("00-{}-{}-01", hex(&trace), hex(&parent));
    request.metadata_mut().insert("traceparent", context.parse().expect("a header"));
    caller.reporting().query(request).await.expect("figures");
    let span = async |name: &str, kind: SpanKind| {
        found(&format!("{kind:?} {name}"), async || collector.find(&trace, name, kind)).await
    };
    let (service, outer) = span("insights.reporting.v1.ReportingService/Query", SpanKind::Server).await;
    assert_eq!((service.as_str(), outer.parent_span_id.as_slice()), ("insights-reporting", &parent[..]));
    assert_eq!(outer.status.map(|status| status.code()), Some(StatusCode::Ok));
    let (service, asked) = span("insights.metrics.v1.MetricsService/BatchQuery", SpanKind::Client).await;
    assert_eq!((service.as_str(), &asked.parent_span_id), ("insights-reporting", &outer.span_id));
    let (service, inner) = span("insights.metrics.v1.MetricsService/BatchQuery", SpanKind::Server).await;
    assert_eq!((service.as_str(), &inner.parent_span_id), ("insights-metrics", &asked.span_id));

    let wire = Wire::to(cluster.reporting[0].address());
    for number in 0..50 {
        wire.call(&format!("/invented.v1.Service{number}/Method"), &[], EMPTY).await.expect("an answer");
    }
    let text = || get(&admin, "/metrics").map(|(_, text)| text).unwrap_or_default();
    let query = "rpc_method=\"insights.reporting.v1.ReportingService/Query\",rpc_response_status_code=\"OK\"";
    until("invented methods are counted", async || text().contains("rpc_method=\"unknown\"")).await;
    let text = text();
    assert!(text.lines().any(|line| line.contains(query) && line.contains("le=\"0.005\"")), "{text}");
    for wrong in ["invented", PARTNER, "\"ada\""] {
        assert!(!text.contains(wrong), "{wrong}: {text}");
    }
    for level in ["insights_ready 1", "insights_exports_waiting 0", "process_memory_usage_bytes "] {
        assert!(text.lines().any(|line| line.starts_with(level)), "{level}: {text}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
