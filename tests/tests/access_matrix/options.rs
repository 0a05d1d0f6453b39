//! A walk over the descriptor set: nothing is without an option, and nothing escapes the table.

use std::collections::BTreeSet;

use insights_access::{Demand, FieldClass, Policy, Redactor};
use insights_proto::metrics::v1::Measure;
use prost_reflect::{DescriptorPool, MessageDescriptor};

use crate::table::{MEASURES, METHODS};

fn pool() -> DescriptorPool {
    DescriptorPool::decode(insights_proto::DESCRIPTOR_SET).unwrap()
}

#[test]
fn every_method_has_a_policy_and_a_row() {
    let policy = Policy::product().unwrap();
    let mut found = BTreeSet::new();
    for service in pool().services() {
        for method in service.methods() {
            let path = format!("/{}/{}", service.full_name(), method.name());
            let known = policy.method(&path).unwrap_or_else(|| panic!("{path} is not in the policy"));
            assert_ne!(known.demand, Demand::Nobody, "{path} has no policy: nobody could call it");
            if let Demand::Roles(roles) | Demand::ByMeasure(roles) = known.demand {
                assert!(!roles.is_empty(), "{path} names no role: nobody could call it");
            }
            found.insert(path);
        }
    }
    let written: BTreeSet<_> = METHODS.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(found, written, "methods and the table written by hand differ");
    assert_eq!(policy.methods().count(), METHODS.len());
}

/// Whether a message holds records of facts, itself or in what it holds.
fn holds_records(message: &MessageDescriptor, seen: &mut BTreeSet<String>) -> bool {
    if ["insights.ingestion.v1.Record", "insights.ingestion.v1.ActivityColumns"].contains(&message.full_name()) {
        return true;
    }
    seen.insert(message.full_name().to_owned())
        && message.fields().any(|field| {
            let kind = field.kind();
            kind.as_message().is_some_and(|inner| holds_records(inner, seen))
        })
}

#[test]
fn what_changes_facts_or_tries_them_is_not_for_callers_bound_to_locations() {
    let policy = Policy::product().unwrap();
    let mut found = Vec::new();
    for service in pool().services() {
        for method in service.methods() {
            let path = format!("/{}/{}", service.full_name(), method.name());
            let known = policy.method(&path).unwrap();
            let takes = holds_records(&method.input(), &mut BTreeSet::new());
            let writes = service.full_name() == "insights.ingestion.v1.IngestionService" && !known.read_only;
            if known.demand == Demand::Services || !takes && !writes {
                continue;
            }
            assert!(known.whole_partner, "{path}: a record changes figures of other locations than those it names");
            found.push(method.name().to_owned());
        }
    }
    found.sort();
    assert_eq!(found, ["IngestBatch", "IngestStream", "PreviewImport", "PreviewLists", "ReplayRejections"]);
}

#[test]
fn every_measure_has_a_group_and_a_row() {
    let measures = pool().get_enum_by_name("insights.metrics.v1.Measure").unwrap();
    let found: BTreeSet<_> = measures.values().map(|value| value.name().to_owned()).collect();
    let mut written: BTreeSet<_> = MEASURES.iter().map(|(name, _)| (*name).to_owned()).collect();
    written.insert("MEASURE_UNSPECIFIED".to_owned());
    assert_eq!(found, written);
    assert!(MEASURES.iter().all(|(name, _)| Measure::from_str_name(name).is_some()));
}

#[test]
fn every_field_that_is_money_or_about_one_person_has_a_class() {
    let redactor = Redactor::product();
    let mut classed = 0;
    for message in pool().all_messages() {
        // What services send each other beneath the policy is not shown to anybody; records are, where they were refused.
        let records = message.parent_file().name().ends_with("ingestion/v1/records.proto");
        let shown = message.full_name().starts_with("insights.metrics.")
            || message.full_name().starts_with("insights.reporting.")
            || records;
        for field in message.fields().filter(|_| shown) {
            let class = redactor.class_of(message.full_name(), field.name());
            let money = ["amount", "revenue", "price"].iter().any(|word| field.name().contains(word));
            let scalar = field.kind().as_message().is_none() && field.kind().as_enum().is_none();
            let personal = ["user_hash", "user_id", "domain", "email"].iter().any(|word| field.name().contains(word));
            if money && scalar && field.kind() != prost_reflect::Kind::Bool {
                assert_eq!(class, FieldClass::Revenue, "{}.{}", message.full_name(), field.name());
            }
            if personal && scalar {
                assert_eq!(class, FieldClass::Personal, "{}.{}", message.full_name(), field.name());
            }
            classed += usize::from(class != FieldClass::Unspecified);
        }
    }
    assert!(classed > 0);
}
