//! `insights glossary`.

use std::time::Duration;

use clap::Args;
use insights_messages::{Language, title};
use insights_proto::reporting::v1::{GlossaryTerm, ListGlossaryTermsRequest};
use serde_json::json;

use crate::{client::Caller, failure::Failure, output};

/// `insights glossary`.
#[derive(Debug, Args)]
pub struct GlossaryArgs {
    /// Part of a term or of its definition [default: all terms].
    #[arg(default_value = "")]
    pub search: String,
}

const DEADLINE: Duration = Duration::from_secs(60);

/// Says what words and numbers mean.
pub async fn run(caller: &Caller, command: &GlossaryArgs, language: Language, json: bool) -> Result<(), Failure> {
    let mut terms = Vec::new();
    let mut message = ListGlossaryTermsRequest { search: command.search.clone(), ..Default::default() };
    loop {
        let request = caller.request(message.clone(), DEADLINE);
        let page = caller.reporting().list_glossary_terms(request).await?.into_inner();
        terms.extend(page.terms);
        message.page_token = page.next_page_token;
        if message.page_token.is_empty() {
            break;
        }
    }
    if json {
        return output::print_json(&terms.iter().map(as_json).collect::<Vec<_>>());
    }
    if terms.is_empty() {
        return Err(Failure::Failed(format!("NOT_FOUND: no term has {:?} in it", command.search)));
    }
    let texts: Vec<String> = terms.iter().map(|term| as_text(term, language)).collect();
    output::print(&texts.join("\n"))
}

fn as_text(term: &GlossaryTerm, language: Language) -> String {
    let kind = title(language, term.kind().as_str_name()).to_lowercase();
    let mut text = format!("{}  ({kind}, {})\n  {}\n", term.title, term.id, term.definition);
    if !term.formula.is_empty() {
        text.push_str(&format!("  = {}\n", term.formula));
    }
    for example in &term.examples {
        text.push_str(&format!("  {}. {}\n", example.number, example.text));
    }
    text
}

fn as_json(term: &GlossaryTerm) -> serde_json::Value {
    let examples: Vec<_> =
        term.examples.iter().map(|example| json!({"number": example.number, "text": example.text})).collect();
    json!({
        "id": term.id,
        "kind": term.kind().short_name(),
        "title": term.title,
        "definition": term.definition,
        "formula": Some(&term.formula).filter(|formula| !formula.is_empty()),
        "examples": examples,
    })
}
