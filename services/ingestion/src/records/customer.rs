//! Records of a customer that name no subscription.

use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{Customer, LicenceList, Licensed, SupportCases};
use prost::Message;

use super::{
    Checks, In, Violation,
    fact::{EVERY_DAY, Fact, FactKind, FactOwner, KeyPrefix},
};

impl TryFrom<In<'_, Customer>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, Customer>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("customer", context);
        let customer_id = checks.id("customer_id", &record.customer_id);
        let record = Customer {
            customer_id: customer_id.clone(),
            name: checks.optional_text("name", record.name),
            country: checks.optional_country("country", record.country),
            tenant_country: checks.optional_country("tenant_country", record.tenant_country),
            segment: checks.optional_text("segment", record.segment),
            industry: checks.optional_text("industry", record.industry),
            domain: checks.optional_text("domain", record.domain),
        };
        checks.finish(Self {
            kind: FactKind::Customer,
            owner: FactOwner::Customer(customer_id),
            prefix: KeyPrefix::None,
            sku: None,
            services: Vec::new(),
            tail: Vec::new(),
            day: EVERY_DAY,
            body: record.encode_to_vec(),
        })
    }
}

impl TryFrom<In<'_, Licensed>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, Licensed>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("licensed", context);
        let customer = checks.id("customer_id", &record.customer_id);
        let user = checks.user("user_id", &record.user_id);
        let service = checks.service("service", &record.service);
        let from = checks.past_day("from", &record.from_day);
        let to = checks.end_after("to", record.to_day.as_ref(), from);
        let day = from.map_or(0, Day::epoch_days);
        let body = Licensed { to_day: to.map(|day| day.to_string()), listed: record.listed, ..Licensed::default() };
        checks.finish(Self {
            kind: FactKind::Licensed,
            owner: FactOwner::Customer(customer),
            prefix: KeyPrefix::Service,
            sku: None,
            services: vec![service],
            tail: [&user.to_be_bytes()[..], &day.to_be_bytes()].concat(),
            day,
            body: body.encode_to_vec(),
        })
    }
}

impl TryFrom<In<'_, LicenceList>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, LicenceList>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("licence_list", context);
        let customer = checks.id("customer_id", &record.customer_id);
        let service = checks.service("service", &record.service);
        let day = checks.past_day("day", &record.day).map_or(0, Day::epoch_days);
        checks.finish(Self {
            kind: FactKind::LicenceList,
            owner: FactOwner::Customer(customer),
            prefix: KeyPrefix::Service,
            sku: None,
            services: vec![service],
            tail: day.to_be_bytes().to_vec(),
            day,
            body: Vec::new(),
        })
    }
}

impl TryFrom<In<'_, SupportCases>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, SupportCases>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("support_cases", context);
        let customer = checks.id("customer_id", &record.customer_id);
        let month = checks.month("month", &record.month);
        let total = checks.count("total", record.total);
        let how_to = checks.optional_count("how_to", record.how_to);
        if how_to.is_some_and(|how_to| how_to > total) {
            checks.wrong("how_to", "must not be more than `total`");
        }
        let day = month.map_or(0, |month| month.first_day().epoch_days());
        let body =
            SupportCases { customer_id: customer.clone(), month: record.month.clone(), total: Some(total), how_to };
        checks.finish(Self {
            kind: FactKind::SupportCases,
            owner: FactOwner::Customer(customer),
            prefix: KeyPrefix::None,
            sku: None,
            services: Vec::new(),
            tail: day.to_be_bytes().to_vec(),
            day,
            body: body.encode_to_vec(),
        })
    }
}
