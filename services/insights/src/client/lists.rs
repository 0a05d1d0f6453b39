//! Lists that would end much of what the list before them named: a filtered or broken file looks like many who left, so somebody is
//! asked first.

use insights_domain::{ids::canonical_id, service_fold};
use insights_proto::ingestion::v1::{ListEffect, PreviewListsRequest, Record, record::Kind};

use super::{
    Caller,
    batch::Batch,
    import::{BATCH_DEADLINE, How, Summary},
};
use crate::failure::Failure;

/// As many may leave at a time without a question, however few there were.
const FEW: i64 = 5;
/// One in so many.
const ONE_IN: i64 = 5;

/// Whether a batch has lists that may end something.
pub(super) fn has_lists(batch: &Batch) -> bool {
    batch.records.iter().any(|record| subject(record).is_some())
}

/// Takes the lists out of a batch that would end too much, unless that is confirmed, and says what would go; counts what the others
/// leave out. A dry run stores neither the customers nor the
/// licences that a list names, so it judges lists of subscriptions and SKUs only.
pub(super) async fn withhold(
    caller: &Caller,
    batch: &mut Batch,
    how: &How,
    file: &str,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let dry_run = how.dry_run;
    let lists: Vec<Record> = batch.records.iter().filter(|record| subject(record).is_some()).cloned().collect();
    let effects = effects(caller, lists).await?;
    let judged = |effect: &&ListEffect| !dry_run || !matches!(effect.what.as_str(), "customers" | "licences");
    for effect in effects.iter().filter(judged) {
        if how.confirm || !ends_much(effect) {
            summary.leaves_out(&effect.what, effect.left_out);
            continue;
        }
        let key = [&effect.what, &effect.source, &effect.customer_id, &effect.service, &effect.day].map(String::clone);
        batch.retain(|record| subject(record).as_ref() != Some(&key));
        summary.failures.push(format!("{file}: {}", question(effect)));
    }
    Ok(())
}

/// What lists would end, and how many rows retracts are about.
pub(super) async fn effects(caller: &Caller, records: Vec<Record>) -> Result<Vec<ListEffect>, Failure> {
    let request = caller.request(PreviewListsRequest { records }, BATCH_DEADLINE);
    Ok(caller.ingestion().preview_lists(request).await?.into_inner().effects)
}

fn ends_much(effect: &ListEffect) -> bool {
    effect.left_out > FEW && effect.left_out.saturating_mul(ONE_IN) > effect.named_before
}

/// What a list that may end something is about, as its effect says it: what, source, customer, service and day.
fn subject(record: &Record) -> Option<[String; 5]> {
    let id = |id: &str| canonical_id(id.trim());
    match record.kind.as_ref()? {
        Kind::WholeList(list) if !list.part && (list.what != "customers" || list.customer_id.is_empty()) => {
            Some([list.what.clone(), id(&list.source), id(&list.customer_id), String::new(), list.day.clone()])
        }
        Kind::LicenceList(list) => {
            let service = service_fold(&list.service).to_owned();
            Some(["licences".to_owned(), String::new(), id(&list.customer_id), service, list.day.clone()])
        }
        _ => None,
    }
}

fn question(effect: &ListEffect) -> String {
    let ListEffect { what, customer_id, service, day, named_before, left_out, ids, .. } = effect;
    let of = if service.is_empty() { String::new() } else { format!(" for {service}") };
    let whose = if customer_id.is_empty() { String::new() } else { format!(" of customer {customer_id}") };
    let more = left_out - i64::try_from(ids.len()).unwrap_or_default();
    let ids = match (ids.is_empty(), more) {
        (true, _) => String::new(),
        (_, 0) => format!(": {}", ids.join(", ")),
        _ => format!(": {} and {more} more", ids.join(", ")),
    };
    format!(
        "the list of {what}{of}{whose} of {day} leaves out {left_out} of the {named_before} that the one before it named{ids}. \
         Nothing was ended: import the file again with --confirm if they are gone"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(named_before: i64, left_out: i64) -> ListEffect {
        let ids = (1..=left_out.min(2)).map(|number| format!("S-{number}")).collect();
        let (what, customer_id, day) = ("subscriptions".into(), "C-1".into(), "2026-03-31".into());
        ListEffect { what, customer_id, day, named_before, left_out, ids, ..ListEffect::default() }
    }

    #[test]
    fn more_than_a_fifth_and_more_than_five_are_much() {
        for (before, left_out, much) in [(10, 5, false), (10, 6, true), (30, 6, false), (29, 6, true), (100, 21, true)]
        {
            assert_eq!(ends_much(&effect(before, left_out)), much, "{left_out} of {before}");
        }
    }

    #[test]
    fn the_question_names_what_would_go() {
        let text = question(&effect(10, 7));
        assert!(text.contains("leaves out 7 of the 10"), "{text}");
        assert!(text.contains("S-1, S-2 and 5 more") && text.contains("--confirm"), "{text}");
        let licences = ListEffect { what: "licences".into(), service: "Teams".into(), ids: vec![], ..effect(10, 7) };
        assert!(question(&licences).contains("list of licences for Teams of customer C-1"));
    }
}
