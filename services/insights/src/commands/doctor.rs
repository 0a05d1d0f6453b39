//! `insights doctor`.

use std::{path::Path, time::Duration};

use base64::Engine as _;
use insights_proto::{
    access::v1::{WhoAmIRequest, access_service_client::AccessServiceClient},
    ingestion::v1 as ingestion,
    reporting::v1 as reporting,
};
use insights_service::Clock;
use serde::Serialize;

use crate::{client::Caller, failure::Failure, output, settings::Settings};

const DEADLINE: Duration = Duration::from_secs(10);

/// What was found about one thing.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    found: String,
    /// What to do; empty when it is well.
    advice: String,
}

fn well(what: &'static str, found: String) -> Finding {
    Finding { what, ok: true, found, advice: String::new() }
}

fn unwell(what: &'static str, found: String, advice: &str) -> Finding {
    Finding { what, ok: false, found, advice: advice.into() }
}

/// Checks the set-up and says what to do.
pub async fn run(settings: &Settings, clock: &Clock, json: bool) -> Result<(), Failure> {
    let mut findings = vec![data_dir(settings), token(&settings.token_path(), clock)];
    match Caller::connect(settings).await {
        Err(failure) => {
            findings.push(unwell("server", failure.to_string(), "start one with `insights demo` or `insights serve`"));
        }
        Ok(caller) => findings.extend(server(settings, &caller).await),
    }
    if json {
        output::print_json(&findings)?;
    } else {
        let mut text = String::new();
        for Finding { what, ok, found, advice } in &findings {
            text.push_str(&format!("{} {what}: {found}\n", if *ok { "ok  " } else { "TODO" }));
            if !advice.is_empty() {
                text.push_str(&format!("     → {advice}\n"));
            }
        }
        output::print(&text)?;
    }
    match findings.iter().filter(|finding| !finding.ok).count() {
        0 => Ok(()),
        1 => Err(Failure::Failed("one thing is to do".into())),
        many => Err(Failure::Failed(format!("{many} things are to do"))),
    }
}

fn data_dir(settings: &Settings) -> Finding {
    let path = &settings.data_dir;
    match std::fs::metadata(path) {
        Err(_) => well("data directory", format!("{} is not there yet; it is made on first use", path.display())),
        Ok(data) if data.permissions().readonly() => unwell(
            "data directory",
            format!("{} cannot be written", path.display()),
            "give yourself the right to write there",
        ),
        Ok(_) => well("data directory", path.display().to_string()),
    }
}

fn token(path: &Path, clock: &Clock) -> Finding {
    let advice = "name the right file with --token-file, or make a token: insights token --role global_admin --partner demo > FILE";
    let Ok(text) = std::fs::read_to_string(path) else {
        return unwell("token", format!("{} cannot be read", path.display()), advice);
    };
    let claims = text.trim().split('.').nth(1).and_then(|part| {
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice::<serde_json::Value>(&bytes).ok()
    });
    let Some(expires) = claims.and_then(|claims| claims["exp"].as_i64()) else {
        return unwell("token", format!("{} holds no JWT", path.display()), advice);
    };
    let left = expires - clock.now().timestamp();
    if left <= 0 {
        return unwell("token", format!("{} has expired", path.display()), advice);
    }
    well("token", format!("{}, good for another {} minutes", path.display(), left / 60))
}

async fn server(settings: &Settings, caller: &Caller) -> Vec<Finding> {
    let mut findings = vec![well("server", format!("{} answers", settings.server))];
    let me = AccessServiceClient::new(caller.link()).who_am_i(caller.request(WhoAmIRequest {}, DEADLINE)).await;
    match me.map(tonic::Response::into_inner) {
        Err(status) => {
            let advice = "the server believes other tokens: use one of its own data directory or identity provider";
            findings.push(unwell("caller", Failure::from(status).to_string(), advice));
            return findings;
        }
        Ok(me) => {
            let roles: Vec<String> = me.roles().map(insights_access::role_name).collect();
            findings.push(well("caller", format!("partner {}, {}", me.partner, roles.join(", "))));
        }
    }
    findings.extend(freshness(caller).await);
    findings
}

async fn freshness(caller: &Caller) -> Vec<Finding> {
    let request = caller.request(ingestion::GetFreshnessRequest {}, DEADLINE);
    let facts = match caller.ingestion().get_freshness(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) if status.code() == tonic::Code::PermissionDenied => return Vec::new(),
        Err(status) => return vec![unwell("facts", Failure::from(status).to_string(), "see the server's log")],
    };
    let mut findings = Vec::new();
    if facts.version == 0 {
        findings.push(unwell("facts", "there are none yet".into(), "import something: insights import --help"));
        return findings;
    }
    findings.push(well("facts", format!("version {}, complete through {}", facts.version, facts.complete_through)));
    if let Some(rejected) = facts.rejected.filter(|count| *count > 0) {
        let found = format!("{} records were rejected", output::grouped(rejected));
        findings.push(unwell(
            "quarantine",
            found,
            "mend the source and import again; the reasons stand in the import's summary",
        ));
    }
    if let Some(waiting) = facts.waiting.filter(|count| *count > 0) {
        let found = format!("{} records wait for what they refer to", output::grouped(waiting));
        findings.push(unwell("waiting", found, "import the customers, SKUs and subscriptions they name"));
    }
    let request = caller.request(reporting::GetFreshnessRequest { min_version: 0 }, DEADLINE);
    findings.push(match caller.reporting().get_freshness(request).await {
        Err(status) => unwell("figures", Failure::from(status).to_string(), "see the server's log"),
        Ok(answer) => {
            let version = answer.into_inner().freshness.unwrap_or_default().version;
            well("figures", format!("version {version}, {} behind the facts", facts.version - version))
        }
    });
    findings
}
