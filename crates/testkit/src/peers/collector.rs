//! A collector of spans: reads OTLP as it is sent and keeps what it was told.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
pub use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use prost::Message as _;
use tokio::net::TcpListener;

use crate::LIMIT;

/// A span as it arrived; ids in hexadecimal.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Whose it is.
    pub service: String,
    /// What was done.
    pub name: String,
    /// On which side of a call.
    pub kind: SpanKind,
    /// The id of its trace.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// The span that it is part of; empty for the first of a trace.
    pub parent: String,
    /// The spans that it names besides.
    pub links: Vec<String>,
    /// Whether it is marked as failed.
    pub failed: bool,
    /// Its attributes as text.
    pub attributes: HashMap<String, String>,
    /// Its beginning and its end.
    pub nanos: (u64, u64),
}

/// Listens until the test ends.
pub struct Collector {
    /// Where it listens.
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Collector {
    /// Listens on a free port.
    pub async fn start() -> Self {
        Self::on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port"))
    }

    /// Listens on this socket.
    pub fn on(listener: TcpListener) -> Self {
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        tokio::spawn(serve(listener, Arc::clone(&seen)));
        Self { url, seen }
    }

    /// What it was told so far.
    pub fn spans(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it was told enough.
    pub async fn until(&self, what: &str, enough: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let began = Instant::now();
        loop {
            let spans = self.spans();
            if enough(&spans) {
                return spans;
            }
            assert!(began.elapsed() < LIMIT, "never: {what}; {spans:#?}");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

async fn serve(listener: TcpListener, seen: Arc<Mutex<Vec<Seen>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let seen = Arc::clone(&seen);
        let service = service_fn(move |request| answer(request, Arc::clone(&seen)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    seen: Arc<Mutex<Vec<Seen>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let types: Vec<_> = request.headers().get_all("content-type").iter().cloned().collect();
    let right = request.method() == Method::POST
        && request.uri().path() == "/v1/traces"
        && types == ["application/x-protobuf"];
    let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    let told = ExportTraceServiceRequest::decode(body).ok().filter(|_| right);
    let mut response = Response::new(Full::from(ExportTraceServiceResponse::default().encode_to_vec()));
    match told {
        Some(told) => seen.lock().unwrap_or_else(PoisonError::into_inner).extend(spans(told)),
        None => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    Ok(response)
}

fn spans(told: ExportTraceServiceRequest) -> Vec<Seen> {
    let mut all = Vec::new();
    for of_service in told.resource_spans {
        let resource = texts(of_service.resource.expect("a resource").attributes);
        for span in of_service.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            all.push(Seen {
                service: resource["service.name"].clone(),
                kind: span.kind(),
                name: span.name,
                trace: hexadecimal(&span.trace_id),
                id: hexadecimal(&span.span_id),
                parent: hexadecimal(&span.parent_span_id),
                links: span.links.iter().map(|link| hexadecimal(&link.span_id)).collect(),
                failed: span.status.is_some_and(|status| status.code() == SpanStatus::Error),
                attributes: texts(span.attributes),
                nanos: (span.start_time_unix_nano, span.end_time_unix_nano),
            });
        }
    }
    all
}

fn texts(attributes: Vec<KeyValue>) -> HashMap<String, String> {
    let text = |attribute: KeyValue| {
        let value = match attribute.value.and_then(|value| value.value) {
            Some(Value::StringValue(text)) => text,
            Some(Value::IntValue(number)) => number.to_string(),
            other => panic!("{}: {other:?}", attribute.key),
        };
        (attribute.key, value)
    };
    attributes.into_iter().map(text).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}
