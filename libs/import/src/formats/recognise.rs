//! Tells by its content what a file is.

use std::io::{self, BufRead, Read as _};

use insights_domain::calendar::Day;
use serde_json::Value;

use crate::formats::Format;
use crate::own::columns::RecordColumns;
use crate::reader::RecordKind;
use crate::reader::{ReadOptions, Stopped};
use crate::text::lines::{Lines, Split};
use crate::text::table::normalised;
use crate::text::{dates, json};

/// How much of a file is looked at.
const LOOKED_AT: u64 = 1 << 20;

/// What a file seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// Its format.
    pub format: Format,
    /// The day its first row speaks of, where that orders files of one format.
    pub day: Option<Day>,
}

/// Looks at the beginning of a file; `named` is what its name says its records are. The answer says in words why a file
/// is none of ours.
pub fn recognise(input: &mut dyn BufRead, named: Option<RecordKind>) -> io::Result<Result<Recognised, &'static str>> {
    let mut start = Vec::new();
    input.take(LOOKED_AT).read_to_end(&mut start)?;
    if start.starts_with(b"PAR1") {
        return Ok(Ok(Recognised { format: Format::Parquet, day: None }));
    }
    let mut text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    // Our own templates begin with comments.
    while text.starts_with(b"#") {
        text = text.iter().position(|byte| *byte == b'\n').map_or(&[], |end| &text[end + 1..]);
    }
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    Ok(match first {
        None => Err("it is empty"),
        Some(b'{' | b'[') => json(text),
        Some(_) if text.contains(&0) => Err("it is no text"),
        Some(_) => table(text, named)?,
    })
}

fn json(text: &[u8]) -> Result<Recognised, &'static str> {
    let known = |format| Ok(Recognised { format, day: None });
    let line = text.split(|byte| *byte == b'\n').find(|line| !line.iter().all(u8::is_ascii_whitespace));
    let line: Option<Value> = line.and_then(|line| serde_json::from_slice(line).ok());
    if line.is_some_and(|line| line.get("kind").is_some_and(Value::is_string)) {
        return known(Format::Ndjson);
    }
    let has = |list, members: &[&str]| {
        first_element(text, list).is_some_and(|element| members.iter().any(|member| element.at(member).is_some()))
    };
    if has("items", &["companyProfile", "relationshipToPartner"]) {
        known(Format::PcCustomers)
    } else if has("items", &["productSku", "consumedUnits"]) {
        known(Format::PcSubscribedSkus)
    } else if has("items", &["entitlementId", "offerId", "links.offer", "quantity"]) {
        known(Format::PcSubscriptions)
    } else if has("value", &["prepaidUnits", "consumedUnits"]) {
        known(Format::GraphSubscribedSkus)
    } else if has("value", &["totalLicenses", "commerceSubscriptionId", "ownerTenantId"]) {
        known(Format::GraphSubscriptions)
    } else {
        Err("its members are those of no known format")
    }
}

fn first_element(text: &[u8], list: &'static str) -> Option<json::Element> {
    let mut first = None;
    let mut input = text;
    // Whatever comes after the first element is not looked at.
    let _ = json::each(&mut input, list, &mut |element| {
        first = Some(element);
        Err(Stopped)
    });
    first
}

/// The columns that make each format, normalised; one of each group must be there. The first format that fits decides.
const TABLES: &[(Format, &[&[&str]])] = &[
    (Format::ProductNames, &[&["productdisplayname"], &["guid"], &["serviceplanname"]]),
    (
        Format::GraphUserDetail,
        &[
            &["reportrefreshdate"],
            &["userprincipalname"],
            &[
                "hasexchangelicense",
                "hasteamslicense",
                "hassharepointlicense",
                "hasonedrivelicense",
                "hasyammerlicense",
            ],
        ],
    ),
    (
        Format::InsightsOfficeUsage,
        &[&["workloadname", "workload"], &["paidavailableunits"], &["monthlyactiveusers"], CUSTOMER],
    ),
    (Format::InsightsSubscriptions, &[SUBSCRIPTION, &["availableseatseop", "totalsoldseats"], CUSTOMER]),
    (Format::InsightsDynamicsUsage, &[SUBSCRIPTION, &["availableseats"], &["activeseats", "assignedseats"], CUSTOMER]),
    (
        Format::InsightsCustomers,
        &[
            CUSTOMER,
            &["month"],
            &["customerstatus", "customertenantname", "customertenantcountry", "tenantdomainname", "billedrevenueusd"],
        ],
    ),
];
const CUSTOMER: &[&str] = &["customertenantid", "customertenantguid", "tenantid"];
const SUBSCRIPTION: &[&str] = &["subscriptionid", "subscriptionguid"];

fn table(text: &[u8], named: Option<RecordKind>) -> io::Result<Result<Recognised, &'static str>> {
    let mut input = text;
    let mut lines = Lines::new(&mut input)?;
    let Some(Split::Fields(_, header)) = lines.next_record()? else {
        return Ok(Err("its first line names no columns"));
    };
    let names: Vec<String> = header.iter().map(|name| normalised(name)).collect();
    let has = |name: &str| names.iter().any(|own| own == name);
    let fits = |groups: &[&[&str]]| groups.iter().all(|group| group.iter().any(|name| has(name)));
    let other_report = |format| format == Format::InsightsCustomers && SUBSCRIPTION.iter().any(|name| has(name));
    let Some((format, _)) = TABLES.iter().find(|(format, groups)| fits(groups) && !other_report(*format)) else {
        let ours = |today| RecordColumns::find(&header, &ReadOptions { named, ..ReadOptions::on(today) }).is_ok();
        let of_ours = Day::from_epoch_days(0).is_some_and(ours);
        let own = Recognised { format: Format::Csv, day: None };
        return Ok(if of_ours { Ok(own) } else { Err("its columns are those of no known format") });
    };
    let place = |name: &str| names.iter().position(|own| own == name);
    if *format == Format::InsightsDynamicsUsage {
        // The usage reports of other products have the same columns; theirs are not ours to call Dynamics 365.
        let other = has("partnerhierarchy") && !has("revsumcategoryname") && !has("revsumdivisionname");
        let sku = place("sku").or_else(|| place("skuname"));
        if other || mentions_power_bi(&mut lines, sku)? {
            return Ok(Err("it may be PowerBIUsage, which has the same columns as DynamicsUsage: name the format"));
        }
    }
    let day = match place("reportrefreshdate") {
        Some(place) => match lines.next_record()? {
            Some(Split::Fields(_, row)) => row.get(place).and_then(|date| dates::lone_day(date)),
            _ => None,
        },
        None => None,
    };
    Ok(Ok(Recognised { format: *format, day }))
}

fn mentions_power_bi(lines: &mut Lines<'_>, sku: Option<usize>) -> io::Result<bool> {
    for _ in 0..20 {
        if let Some(Split::Fields(_, row)) = lines.next_record()? {
            let sku = sku.and_then(|place| row.get(place));
            if sku.is_some_and(|sku| normalised(sku).contains("powerbi")) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
