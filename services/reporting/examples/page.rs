//! Serves the page over made-up figures, to work on it without a database of facts: `cargo run --example page`, then
//! open http://127.0.0.1:8090 (or run `npx vite` in `ui/` with INSIGHTS_SERVER set to that).

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;

use insights_access::{Role, role_name};
use insights_proto::access::v1::Role as WireRole;
use insights_reporting::{Config, DevelopmentToken, DevelopmentTokens};
use insights_testkit::TempDatabase;
use support::{Figures, ReportingFixture, token};
use tokio::net::TcpListener;

const ROLES: [Role; 7] = [
    WireRole::GlobalAdmin,
    WireRole::AccountAdmin,
    WireRole::UserManagementAdmin,
    WireRole::AdminAgent,
    WireRole::SalesAgent,
    WireRole::ReportViewer,
    WireRole::ExecutiveReportViewer,
];

#[tokio::main]
async fn main() {
    let fixture = ReportingFixture::start_with(Figures::default(), TempDatabase::sqlite(), |issuer| {
        let issuer = Arc::clone(issuer);
        let sign_in = move |role: Role| DevelopmentToken {
            role: role_name(role),
            name: role_name(role).replace('_', " "),
            token: issuer.mint(&token(&[role])).expect("a token"),
        };
        let mint = DevelopmentTokens::new(move || ROLES.map(&sign_in).to_vec());
        Config { development_tokens: Some(mint), ..Config::default() }
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:8090").await.expect("a port");
    println!("http://{}", listener.local_addr().expect("an address"));
    let pages = fixture.reporting.pages();
    fixture.chassis.serve(listener, vec![fixture.reporting.routes()], pages).await.expect("served");
}
