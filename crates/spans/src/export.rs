//! Sends spans to the collector, off the path of every request.

use std::time::Duration;

use http::{Method, Request, header};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use ordersys_contract::Client;
use ordersys_contract::client::Endpoints;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Collector;
use crate::metrics::{Lost, SpanMetrics};

/// Spans in one call.
const BATCH: usize = 512;
/// How long spans are gathered.
const GATHER: Duration = Duration::from_millis(500);
/// How long the collector may take for a call.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long nothing is sent after a call failed. What comes meanwhile waits, or is dropped.
const PAUSE: Duration = Duration::from_secs(2);
/// How long sending what waits may take when the service stops.
const FAREWELL: Duration = Duration::from_secs(2);
/// Largest answer that is read.
const ANSWER_BYTES: usize = 64 * 1024;

pub(crate) struct Exporter {
    service: &'static str,
    url: String,
    client: Client,
    metrics: SpanMetrics,
    /// Whether the last call failed: an outage is logged once.
    failing: bool,
}

impl Exporter {
    pub(crate) fn new(service: &'static str, collector: &Collector, metrics: SpanMetrics) -> Self {
        let nowhere = Endpoints::default();
        let client = Client::new(nowhere).with_timeout(TIMEOUT).with_answer_limit(ANSWER_BYTES);
        Self { service, url: collector.traces(), client, metrics, failing: false }
    }

    /// Sends what comes until `stop`, then what still waits.
    pub(crate) async fn run(mut self, mut waiting: mpsc::Receiver<Span>, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        while stop.run_until_cancelled(gather(&mut waiting, &mut batch)).await == Some(Ended::NotYet) {
            let sent = self.send(&mut batch).await;
            if sent == Sent::No {
                stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            }
        }
        waiting.close();
        let rest = async {
            while !batch.is_empty() || waiting.recv_many(&mut batch, BATCH).await > 0 {
                if self.send(&mut batch).await == Sent::No {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(FAREWELL, rest).await;
        self.lost(waiting.len());
    }

    fn lost(&self, spans: usize) {
        self.metrics.lost(Lost::Collector, spans as u64);
    }

    /// Sends a batch once. What the collector does not take is lost.
    async fn send(&mut self, batch: &mut Vec<Span>) -> Sent {
        let spans = batch.len();
        let message = self.message(std::mem::take(batch));
        match self.post(message).await {
            Ok(rejected) => {
                let rejected = rejected.min(spans);
                self.lost(rejected);
                self.metrics.exported((spans - rejected) as u64);
                if std::mem::take(&mut self.failing) {
                    tracing::info!(service = self.service, url = self.url, "the collector takes spans again");
                }
                Sent::Yes
            }
            Err(error) => {
                self.lost(spans);
                if !std::mem::replace(&mut self.failing, true) {
                    let (service, url) = (self.service, &self.url);
                    tracing::warn!(
                        service,
                        url,
                        error,
                        "the collector takes no spans: they are dropped until it does"
                    );
                }
                Sent::No
            }
        }
    }

    /// How many spans the collector refused.
    async fn post(&self, message: Vec<u8>) -> Result<usize, String> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header(header::CONTENT_TYPE, "application/x-protobuf")
            .body(message)
            .map_err(|error| error.to_string())?;
        let answer = self.client.call(request).await.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("it answered {}", answer.status()));
        }
        let answer = ExportTraceServiceResponse::decode(answer.into_body()).unwrap_or_default();
        let rejected = answer.partial_success.map_or(0, |partial| partial.rejected_spans);
        Ok(usize::try_from(rejected).unwrap_or_default())
    }

    fn message(&self, spans: Vec<Span>) -> Vec<u8> {
        let attributes = vec![
            text("service.name", self.service),
            text("service.namespace", "ordersys"),
            text("service.version", env!("CARGO_PKG_VERSION")),
        ];
        let resource = Some(Resource { attributes, ..Resource::default() });
        let scope =
            Some(InstrumentationScope { name: "ordersys".to_owned(), ..InstrumentationScope::default() });
        let scope_spans = vec![ScopeSpans { scope, spans, schema_url: String::new() }];
        let of_service = ResourceSpans { resource, scope_spans, schema_url: String::new() };
        ExportTraceServiceRequest { resource_spans: vec![of_service] }.encode_to_vec()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    NotYet,
    Already,
}

#[derive(Debug, PartialEq, Eq)]
enum Sent {
    Yes,
    No,
}

/// Waits for a span, and a moment for others. Keeps what it has if it is not waited for.
async fn gather(waiting: &mut mpsc::Receiver<Span>, batch: &mut Vec<Span>) -> Ended {
    if waiting.recv_many(batch, BATCH).await == 0 {
        return Ended::Already;
    }
    let full =
        async { while batch.len() < BATCH && waiting.recv_many(batch, BATCH - batch.len()).await > 0 {} };
    let _ = tokio::time::timeout(GATHER, full).await;
    Ended::NotYet
}
