//! `insights erase`.

use std::time::{Duration, Instant};

use clap::Args;
use insights_messages::{Language, Sentence};
use insights_proto::ingestion::v1::ErasureCount;
use insights_proto::reporting::v1::{
    AllowErasedRequest, EraseRequest, EraseResponse, PreviewErasureRequest, PreviewErasureResponse,
};
use serde_json::json;
use tonic::Code;

use crate::{client::Caller, failure::Failure, output};

const DEADLINE: Duration = Duration::from_secs(60);
/// How long an erasure may take before it is left to itself.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// How often `--yes` looks anew when somebody imports meanwhile.
const TRIES: usize = 10;

/// Whom to erase.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("who").required(true).multiple(true).args(["customer", "user"])))]
pub struct EraseArgs {
    /// This customer; with --user, the user at this customer alone.
    #[arg(long, value_name = "ID")]
    pub customer: Option<String>,
    /// This user, by the id that sources send, or by its hash as the quarantine shows it (`#…`).
    #[arg(long, value_name = "ID")]
    pub user: Option<String>,
    /// Erase what was shown: the confirmation that came with it.
    #[arg(long, value_name = "TEXT", default_value = "", conflicts_with_all = ["yes", "allow"])]
    pub confirm: String,
    /// Erase without showing first what would go.
    #[arg(long, conflicts_with = "allow")]
    pub yes: bool,
    /// Let records of what was erased come again; it brings nothing back.
    #[arg(long)]
    pub allow: bool,
}

impl EraseArgs {
    fn customer(&self) -> String {
        self.customer.clone().unwrap_or_default()
    }

    fn user(&self) -> String {
        self.user.clone().unwrap_or_default()
    }
}

/// Shows what would go, erases it, or lets it come again.
pub async fn run(caller: &Caller, args: &EraseArgs, language: Language, json: bool) -> Result<(), Failure> {
    if args.allow {
        return allow(caller, args, language, json).await;
    }
    if !args.confirm.is_empty() {
        let erased = erase(caller, args, args.confirm.clone()).await?;
        return show_erased(&erased, language, json);
    }
    let mut tries = 0;
    loop {
        tries += 1;
        let found = preview(caller, args).await?;
        if !args.yes {
            return show_found(&found, args, language, json);
        }
        match erase(caller, args, found.confirmation).await {
            Err(Failure::Rpc(status)) if status.code() == Code::Aborted && tries < TRIES => {}
            erased => return show_erased(&erased?, language, json),
        }
    }
}

async fn preview(caller: &Caller, args: &EraseArgs) -> Result<PreviewErasureResponse, Failure> {
    let request = PreviewErasureRequest { customer_id: args.customer(), user_id: args.user() };
    Ok(caller.reporting().preview_erasure(caller.request(request, DEADLINE)).await?.into_inner())
}

/// Erases, asking again until it is done.
async fn erase(caller: &Caller, args: &EraseArgs, confirmation: String) -> Result<EraseResponse, Failure> {
    let request = EraseRequest { customer_id: args.customer(), user_id: args.user(), confirmation };
    let until = Instant::now() + PATIENCE;
    loop {
        let answer = caller.reporting().erase(caller.request(request.clone(), DEADLINE)).await?.into_inner();
        if answer.done {
            return Ok(answer);
        }
        if Instant::now() > until {
            let what = "the erasure is under way and goes on by itself; the same command says how far it is";
            return Err(Failure::Failed(format!("DEADLINE_EXCEEDED: {what}")));
        }
    }
}

async fn allow(caller: &Caller, args: &EraseArgs, language: Language, json: bool) -> Result<(), Failure> {
    let request = AllowErasedRequest { customer_id: args.customer(), user_id: args.user() };
    let answer = caller.reporting().allow_erased(caller.request(request, DEADLINE)).await?.into_inner();
    if json {
        return output::print_json(&json!({ "allowed": answer.allowed }));
    }
    let said = if answer.allowed { Sentence::EraseAllowed } else { Sentence::EraseNotErased };
    output::print(&format!("{}\n", said.say(language, &[])))
}

fn show_found(found: &PreviewErasureResponse, args: &EraseArgs, language: Language, json: bool) -> Result<(), Failure> {
    if json {
        return output::print_json(&json!({
            "counts": as_json(&found.counts), "confirmation": found.confirmation, "version": found.version,
            "erased": found.erased,
        }));
    }
    let flag = |name: &str, value: &str| if value.is_empty() { String::new() } else { format!(" --{name} {value:?}") };
    let (customer, user) = (flag("customer", &args.customer()), flag("user", &args.user()));
    let command = format!("insights erase{customer}{user} --confirm {}", found.confirmation);
    let erased = if found.erased { Sentence::EraseKnown.say(language, &[]) + "\n" } else { String::new() };
    output::print(&format!(
        "{}{erased}{}\n{}\n",
        table(&found.counts, language),
        Sentence::EraseUnreached.say(language, &[]),
        Sentence::EraseConfirm.say(language, &[("command", &command)])
    ))
}

fn show_erased(erased: &EraseResponse, language: Language, json: bool) -> Result<(), Failure> {
    if json {
        return output::print_json(&json!({ "counts": as_json(&erased.counts), "version": erased.version }));
    }
    output::print(&format!(
        "{}{}\n{}\n",
        table(&erased.counts, language),
        Sentence::EraseDone.say(language, &[("version", &erased.version.to_string())]),
        Sentence::EraseUnreached.say(language, &[])
    ))
}

fn as_json(counts: &[ErasureCount]) -> Vec<serde_json::Value> {
    counts.iter().map(|it| json!({ "place": it.place, "kind": it.kind, "count": it.count })).collect()
}

fn table(counts: &[ErasureCount], language: Language) -> String {
    let columns = [Sentence::ErasePlace, Sentence::EraseKind, Sentence::EraseCount];
    let columns = columns.map(|word| word.say(language, &[]));
    let row = |it: &ErasureCount| vec![it.place.clone(), it.kind.clone(), language.number(it.count)];
    let rows: Vec<Vec<String>> = counts.iter().map(row).collect();
    output::table(&columns.each_ref().map(String::as_str), &rows, &[false, false, true])
}
