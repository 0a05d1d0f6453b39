//! What stands between a client and the service may know the service's own paths alone.

use axum::{Router, http::HeaderMap, response::IntoResponse, routing::post};
use insights_service::ServiceChannel;
use tokio::net::TcpListener;
use tonic::body::Body;
use tower::ServiceExt;

use crate::caller::quick;

const STREAM: &str = "/insights.ingestion.v1.IngestionService/IngestStream";

/// Answers the one path with an empty stream that went well; any other does not exist, that of health neither.
async fn ingress() -> String {
    let well = || async {
        let headers = [("content-type", "application/grpc"), ("grpc-status", "0")];
        (HeaderMap::new(), headers).into_response()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route(STREAM, post(well))).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_begins_where_nobody_tells_of_health() {
    let link = ServiceChannel::open(&ingress().await, &quick()).expect("a link");
    let request = http::Request::post(STREAM).header("content-type", "application/grpc").body(Body::empty());
    let response = link.oneshot(request.expect("a request")).await.expect("an answer");
    assert_eq!(response.headers()["grpc-status"], "0");
}
