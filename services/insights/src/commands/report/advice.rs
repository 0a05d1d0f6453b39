//! `insights report advice`.

use insights_proto::reporting::v1::{
    Advice, AdviceArgument, AdviceCode, AdviceCount, Coverage, Evidence, EvidenceKind, ListAdviceRequest, PageFilters,
    advice_argument::Value,
};
use serde_json::{Map, Value as Json, json};

use super::{
    DEADLINE,
    performance::{id, name},
    sparkline,
};
use crate::{
    client::Caller,
    failure::Failure,
    output::{self, grouped},
};

/// Advice asked for at once.
const PAGE: i32 = 500;
/// Advice shown in the terminal.
const SHOWN: usize = 20;

/// Shows what to advise customers.
pub async fn run(caller: &Caller, page: PageFilters, json: bool) -> Result<(), Failure> {
    let mut request = ListAdviceRequest { page: Some(page), page_size: PAGE, ..ListAdviceRequest::default() };
    let mut advice = Vec::new();
    loop {
        let asked = caller.request(request.clone(), DEADLINE);
        let answer = caller.reporting().list_advice(asked).await?.into_inner();
        advice.extend(answer.advice);
        request.page_token = answer.next_page_token;
        if request.page_token.is_empty() {
            let shown = Shown {
                coverage: answer.coverage.unwrap_or_default(),
                counts: answer.counts,
                incomplete: answer.incomplete,
                advice,
            };
            return if json { output::print_json(&shown.json()) } else { output::print(&shown.text()) };
        }
    }
}

struct Shown {
    coverage: Coverage,
    counts: Vec<AdviceCount>,
    incomplete: bool,
    advice: Vec<Advice>,
}

impl Shown {
    fn text(&self) -> String {
        let counts: Vec<String> =
            self.counts.iter().map(|of| format!("{} {}", of.count, words(code_name(of.code())))).collect();
        let mut text = format!("Advice  {}\n{}\n", self.coverage.to_month, counts.join(", "));
        for (place, of) in self.advice.iter().take(SHOWN).enumerate() {
            text.push_str(&format!("\n{}. {}  [{}]\n", place + 1, of.title, grouped(of.score)));
            text.push_str(&format!("   Problem   {}\n   Figures   {}\n", of.problem, of.because));
            for evidence in of.evidence.iter().filter(|evidence| evidence.trend.len() > 1) {
                let points: Vec<Option<f64>> = evidence.trend.iter().map(|point| Some(point.value as f64)).collect();
                let kind = words(kind_name(evidence.kind()));
                text.push_str(&format!("             {} {kind}  {}\n", grouped(evidence.value), sparkline(&points)));
            }
            text.push_str(&format!("   Consider  {}\n   Try       {}\n", of.consider, of.to_try));
        }
        if self.advice.len() > SHOWN {
            text.push_str(&format!("\n… and {} more; --json shows them\n", self.advice.len() - SHOWN));
        }
        if self.incomplete {
            text.push_str("\nOnly customers with the most seats were looked at; filter to see others.\n");
        }
        text
    }

    fn json(&self) -> Json {
        let counts: Map<String, Json> =
            self.counts.iter().map(|of| (code_name(of.code()).to_lowercase(), json!(of.count))).collect();
        json!({
            "month": self.coverage.to_month,
            "complete_through": self.coverage.freshness.as_ref().map(|freshness| freshness.complete_through.clone()),
            "counts": counts,
            "incomplete": self.incomplete,
            "advice": self.advice.iter().map(one).collect::<Vec<_>>(),
        })
    }
}

fn one(of: &Advice) -> Json {
    let arguments: Map<String, Json> =
        of.arguments.iter().map(|argument| (argument.name.clone(), argument_json(argument))).collect();
    let evidence = |of: &Evidence| {
        let trend: Vec<Json> =
            of.trend.iter().map(|point| json!({"month": point.month, "value": point.value})).collect();
        json!({"figure": kind_name(of.kind()).to_lowercase(), "value": of.value, "trend": trend})
    };
    json!({
        "code": code_name(of.code()),
        "score": of.score,
        "customer": id(of.customer.as_ref()),
        "customer_name": name(of.customer.as_ref()),
        "subscription": Some(&of.subscription_id).filter(|id| !id.is_empty()),
        "sku": id(of.sku.as_ref()),
        "title": of.title,
        "problem": of.problem,
        "because": of.because,
        "consider": of.consider,
        "to_try": of.to_try,
        "arguments": arguments,
        "evidence": of.evidence.iter().map(evidence).collect::<Vec<_>>(),
    })
}

fn argument_json(argument: &AdviceArgument) -> Json {
    match &argument.value {
        None => Json::Null,
        Some(Value::Count(count)) => json!(count),
        Some(Value::Percent(percent)) => json!(percent),
        Some(Value::Day(text) | Value::Month(text) | Value::Text(text)) => json!(text),
    }
}

fn code_name(code: AdviceCode) -> &'static str {
    code.as_str_name().trim_start_matches("ADVICE_CODE_")
}

fn kind_name(kind: EvidenceKind) -> &'static str {
    kind.as_str_name().trim_start_matches("EVIDENCE_KIND_")
}

fn words(name: &str) -> String {
    name.to_lowercase().replace('_', " ")
}
