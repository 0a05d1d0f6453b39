//! `insights doctor`.

use std::{path::Path, time::Duration};

use base64::Engine as _;
use insights_database::Database;
use insights_messages::{Language, Sentence};
use insights_product::{Service, Settings, database_url, open_to_others};
use insights_proto::{
    access::v1::{WhoAmIRequest, access_service_client::AccessServiceClient},
    ingestion::v1 as ingestion,
    reporting::v1 as reporting,
};
use insights_service::{Clock, error_chain};
use serde::Serialize;

use crate::{client::Caller, failure::Failure, output};

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

/// Says what was found: to people in their language, to programs in English.
#[derive(Clone, Copy)]
struct Doctor(Language);

impl Doctor {
    fn say(self, sentence: Sentence, values: &[(&str, &str)]) -> String {
        sentence.say(self.0, values)
    }

    fn unwell(self, what: &'static str, found: String, advice: Sentence) -> Finding {
        Finding { what, ok: false, found, advice: self.say(advice, &[]) }
    }

    /// What a thing is called.
    fn name(self, what: &str) -> String {
        let sentence = match what {
            "data directory" => Sentence::DoctorDataDir,
            "database" => Sentence::DoctorDatabase,
            "clock" => Sentence::DoctorClock,
            "token" => Sentence::DoctorToken,
            "server" => Sentence::DoctorServer,
            "caller" => Sentence::DoctorCaller,
            "facts" => Sentence::DoctorFacts,
            "quarantine" => Sentence::DoctorQuarantine,
            "waiting" => Sentence::DoctorWaiting,
            "figures" => Sentence::DoctorFigures,
            what => return what.to_owned(),
        };
        self.say(sentence, &[])
    }

    fn text(self, findings: &[Finding]) -> String {
        let todo = self.say(Sentence::DoctorTodo, &[]);
        let width = todo.chars().count();
        let mut text = String::new();
        for Finding { what, ok, found, advice } in findings {
            let mark = if *ok { "ok" } else { &todo };
            text.push_str(&format!("{mark:<width$} {}: {found}\n", self.name(what)));
            if !advice.is_empty() {
                text.push_str(&format!("{:<width$} → {advice}\n", ""));
            }
        }
        text
    }
}

fn well(what: &'static str, found: String) -> Finding {
    Finding { what, ok: true, found, advice: String::new() }
}

/// Checks the set-up and says what to do.
pub async fn run(settings: &Settings, clock: &Clock, language: Language, json: bool) -> Result<(), Failure> {
    let doctor = Doctor(if json { Language::English } else { language });
    let mut findings = vec![doctor.data_dir(settings)];
    findings.extend(doctor.databases(settings).await);
    findings.push(doctor.token(&settings.token_path(), clock));
    match Caller::connect(settings).await {
        Err(failure) => findings.push(doctor.unwell("server", failure.to_string(), Sentence::DoctorServerTry)),
        Ok(caller) => findings.extend(doctor.server(settings, &caller).await),
    }
    if json {
        output::print_json(&findings)?;
    } else {
        output::print(&doctor.text(&findings))?;
    }
    match findings.iter().filter(|finding| !finding.ok).count() {
        0 => Ok(()),
        1 => Err(Failure::Failed(doctor.say(Sentence::DoctorOne, &[]))),
        many => Err(Failure::Failed(doctor.say(Sentence::DoctorMany, &[("count", &many.to_string())]))),
    }
}

impl Doctor {
    fn data_dir(self, settings: &Settings) -> Finding {
        let path = settings.data_dir.display().to_string();
        let say = |sentence| self.say(sentence, &[("path", &path)]);
        match std::fs::metadata(&settings.data_dir) {
            Err(_) => well("data directory", say(Sentence::DoctorNoDir)),
            Ok(data) if data.permissions().readonly() => {
                self.unwell("data directory", say(Sentence::DoctorReadOnly), Sentence::DoctorReadOnlyTry)
            }
            Ok(_) => match open_to_others(settings) {
                None => well("data directory", path),
                Some(open) => {
                    let open = open.display().to_string();
                    let said = [("path", open.as_str())];
                    Finding {
                        what: "data directory",
                        ok: false,
                        found: self.say(Sentence::DoctorOpen, &said),
                        advice: self.say(Sentence::DoctorOpenTry, &said),
                    }
                }
            },
        }
    }

    /// Reads the databases that are files here, whole.
    async fn databases(self, settings: &Settings) -> Vec<Finding> {
        let mut findings = Vec::new();
        for service in Service::ALL {
            let url = database_url(settings, service).unwrap_or_default();
            let Some(path) = url.strip_prefix("sqlite:").filter(|path| Path::new(path).is_file()) else { continue };
            findings.push(self.database(service, path).await);
        }
        findings
    }

    async fn database(self, service: Service, path: &str) -> Finding {
        let Err(error) = Database::check_file(Path::new(path)).await else {
            return well("database", self.say(Sentence::DoctorSound, &[("path", path)]));
        };
        let advice = match service {
            Service::Ingestion => Sentence::DoctorDamagedFacts,
            Service::Metrics => Sentence::DoctorDamagedFigures,
            Service::Reporting => Sentence::DoctorDamagedAudit,
        };
        let said = [("path", path), ("cause", &error_chain(&error))];
        Finding {
            what: "database",
            ok: false,
            found: self.say(Sentence::DoctorDamaged, &said),
            advice: self.say(advice, &said),
        }
    }

    fn token(self, path: &Path, clock: &Clock) -> Finding {
        let shown = path.display().to_string();
        let wrong =
            |found: Sentence| self.unwell("token", self.say(found, &[("path", &shown)]), Sentence::DoctorTokenTry);
        let Ok(text) = std::fs::read_to_string(path) else { return wrong(Sentence::DoctorUnreadable) };
        let claims = text.trim().split('.').nth(1).and_then(|part| {
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<serde_json::Value>(&bytes).ok()
        });
        let Some(expires) = claims.and_then(|claims| claims["exp"].as_i64()) else {
            return wrong(Sentence::DoctorNoToken);
        };
        let left = expires - clock.now().timestamp();
        if left <= 0 {
            return wrong(Sentence::DoctorExpired);
        }
        let minutes = (left / 60).to_string();
        well("token", self.say(Sentence::DoctorGood, &[("path", &shown), ("minutes", &minutes)]))
    }

    async fn server(self, settings: &Settings, caller: &Caller) -> Vec<Finding> {
        let mut findings = vec![well("server", self.say(Sentence::DoctorAnswers, &[("server", &settings.server)]))];
        let me = AccessServiceClient::new(caller.channel()).who_am_i(caller.request(WhoAmIRequest {}, DEADLINE)).await;
        match me.map(tonic::Response::into_inner) {
            Err(status) => {
                findings.push(self.unwell("caller", Failure::from(status).to_string(), Sentence::DoctorMeTry));
                return findings;
            }
            Ok(me) => {
                let roles: Vec<String> = me.roles().map(insights_access::role_name).collect();
                let said = [("partner", me.partner.as_str()), ("roles", &roles.join(", "))];
                findings.push(well("caller", self.say(Sentence::DoctorMe, &said)));
            }
        }
        findings.extend(self.freshness(caller).await);
        findings
    }

    async fn freshness(self, caller: &Caller) -> Vec<Finding> {
        let request = caller.request(ingestion::GetFreshnessRequest {}, DEADLINE);
        let failed =
            |what, status: tonic::Status| self.unwell(what, Failure::from(status).to_string(), Sentence::DoctorLogTry);
        let facts = match caller.ingestion().get_freshness(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) if status.code() == tonic::Code::PermissionDenied => return Vec::new(),
            Err(status) => return vec![failed("facts", status)],
        };
        if facts.version == 0 {
            return vec![self.unwell("facts", self.say(Sentence::DoctorNoFacts, &[]), Sentence::DoctorNoFactsTry)];
        }
        let said = [("version", facts.version.to_string()), ("day", facts.complete_through.clone())];
        let mut findings = vec![well("facts", self.say(Sentence::DoctorComplete, &borrowed(&said)))];
        findings.extend(self.clock(&facts));
        let counted = |sentence, count: i64| self.say(sentence, &[("count", &self.0.number(count))]);
        if let Some(rejected) = facts.rejected.filter(|count| *count > 0) {
            let found = counted(Sentence::DoctorRejected, rejected);
            findings.push(self.unwell("quarantine", found, Sentence::DoctorRejectedTry));
        }
        if let Some(dropped) = facts.dropped.filter(|count| *count > 0) {
            let found = counted(Sentence::DoctorDropped, dropped);
            findings.push(self.unwell("quarantine", found, Sentence::DoctorDroppedTry));
        }
        if let Some(waiting) = facts.waiting.filter(|count| *count > 0) {
            let found = counted(Sentence::DoctorWait, waiting);
            findings.push(self.unwell("waiting", found, Sentence::DoctorWaitTry));
        }
        let request = caller.request(reporting::GetFreshnessRequest { min_version: 0 }, DEADLINE);
        findings.push(match caller.reporting().get_freshness(request).await {
            Err(status) => failed("figures", status),
            Ok(answer) => {
                let version = answer.into_inner().freshness.unwrap_or_default().version;
                let said = [("version", version.to_string()), ("count", (facts.version - version).to_string())];
                well("figures", self.say(Sentence::DoctorBehind, &borrowed(&said)))
            }
        });
        findings
    }
}

impl Doctor {
    /// Says why the server dates nothing, where that is so.
    fn clock(self, facts: &ingestion::GetFreshnessResponse) -> Option<Finding> {
        let found = match facts.clock_fault() {
            ingestion::ClockFault::Unspecified => return None,
            ingestion::ClockFault::BehindReceipts => Sentence::DoctorClockBehind,
            ingestion::ClockFault::ApartFromDatabase => Sentence::DoctorClockApart,
        };
        let seconds = self.0.number(facts.clock_ahead_seconds.abs());
        Some(self.unwell("clock", self.say(found, &[("seconds", &seconds)]), Sentence::DoctorClockTry))
    }
}

fn borrowed<'a>(said: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    said.iter().map(|(name, value)| (*name, value.as_str())).collect()
}
