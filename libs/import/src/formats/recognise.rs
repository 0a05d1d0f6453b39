//! Tells by its content what a file is.

use std::io::BufRead;

use insights_domain::calendar::Day;
use serde_json::Value;

use crate::formats::Format;
use crate::own::columns::RecordColumns;
use crate::reader::RecordKind;
use crate::reader::{ReadError, ReadOptions, Stopped};
use crate::text::encoding::OpenedText;
use crate::text::lines::{Lines, Split, is_comment};
use crate::text::table::normalised;
use crate::text::{answers, dates, json, json_table};

/// Lines of records that are looked at.
const LINES: usize = 100;
/// A text that has zero bytes so near its beginning is none.
const NO_TEXT: usize = 4 << 10;

/// What a file seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// Its format.
    pub format: Format,
    /// The day its first row speaks of, where that orders files of one format.
    pub day: Option<Day>,
}

/// Why a file is none of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrecognised {
    /// What it is, and what to do.
    pub reason: String,
    /// A report was meant: something went wrong on its way.
    pub broken: bool,
}

/// How the beginning of a file looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextShape {
    Empty,
    Parquet,
    /// What [`crate::members`] gives the files of.
    Archive,
    /// A file of another program.
    Foreign(&'static str),
    Json,
    Table,
}

/// Looks at the beginning of a file, as a reader does before it reads; `named` is what its name says its records are.
pub fn recognise(input: &mut dyn BufRead, named: Option<RecordKind>) -> Result<Recognised, Unrecognised> {
    let opened = OpenedText::new(input).map_err(|error| broken(error.to_string()))?;
    look(&opened, named)
}

fn broken(reason: String) -> Unrecognised {
    Unrecognised { reason, broken: true }
}

fn unknown(reason: &str) -> Unrecognised {
    Unrecognised { reason: reason.to_owned(), broken: false }
}

/// The shape of a text by its beginning.
pub(super) fn shape(start: &[u8]) -> TextShape {
    if start.starts_with(b"PAR1") {
        return TextShape::Parquet;
    }
    if let Some((kind, _)) = answers::of_bytes(start) {
        return TextShape::Foreign(kind);
    }
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return TextShape::Archive;
    }
    let text = below_comments(start);
    match text.first() {
        None => TextShape::Empty,
        Some(b'[') if !begins_list(&text[1..]) => TextShape::Table,
        Some(b'{' | b'[') => TextShape::Json,
        Some(_) if text.trim_ascii() == b"null" => TextShape::Json,
        Some(_) => TextShape::Table,
    }
}

/// Whether what follows a bracket may be the first element of a list, and not the name of a section as settings have them.
fn begins_list(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let word = [&b"true"[..], b"false", b"null", b"nan"].iter().any(|word| text.starts_with(word));
    word || text.first().is_none_or(|byte| !byte.is_ascii_alphabetic() && *byte != b'.')
}

/// The text below blank lines and the comments that our own templates begin with.
fn below_comments(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.trim_ascii_start();
        if !is_comment(text) {
            return text;
        }
        let Some(end) = text.iter().position(|byte| *byte == b'\n') else { return &[] };
        text = &text[end + 1..];
    }
}

/// Tells what an opened file is.
pub(super) fn look(opened: &OpenedText<'_>, named: Option<RecordKind>) -> Result<Recognised, Unrecognised> {
    let start = &opened.start;
    let text = below_comments(start);
    match shape(start) {
        TextShape::Parquet => Ok(Recognised { format: Format::Parquet, day: None }),
        TextShape::Archive => Err(unknown("it is an archive within what is packed already: unpack it first")),
        TextShape::Empty => Err(unknown("it is empty")),
        TextShape::Foreign(kind) => {
            let broken = answers::of_bytes(start).is_some_and(|(_, report)| report);
            Err(Unrecognised { reason: kind.to_owned(), broken })
        }
        TextShape::Json => list(text, opened.goes_on, named),
        TextShape::Table => {
            if let Some(answer) = answers::of_text(text) {
                return Err(broken(answer));
            }
            if text[..text.len().min(NO_TEXT)].contains(&0) {
                return Err(unknown("it is no text"));
            }
            let found = table(start, named);
            let answer = found.as_ref().err().filter(|_| !opened.goes_on).and_then(|_| answers::of_sentence(text));
            answer.map_or(found, |answer| Err(broken(answer)))
        }
    }
}

fn list(text: &[u8], goes_on: bool, named: Option<RecordKind>) -> Result<Recognised, Unrecognised> {
    let known = |format| Ok(Recognised { format, day: None });
    let mut first = None;
    let mut input = text;
    // Whatever comes after the first element is not looked at.
    let read = json::each(&mut input, "value", &mut |element| {
        first = Some(element);
        Err(Stopped)
    });
    let Some(element) = first else {
        return match read {
            Ok(pages) => of_context(&pages.context),
            // A line that nobody can read costs itself, the first one too.
            _ if text.split(|byte| *byte == b'\n').take(LINES).any(is_record) => known(Format::Ndjson),
            Err(ReadError::Refused(reason)) if goes_on => {
                Err(unknown(&format!("its beginning is that of no known format: {reason}")))
            }
            Err(error) => Err(broken(error.to_string())),
        };
    };
    let has = |members: &[&str]| members.iter().any(|member| element.at(member).is_some());
    if element.members().is_some_and(|members| members.get("kind").is_some_and(Value::is_string)) {
        known(Format::Ndjson)
    } else if has(&["companyProfile", "relationshipToPartner"]) {
        known(Format::PcCustomers)
    } else if has(&["productSku"]) || has(&["activeUnits"]) && has(&["consumedUnits"]) {
        known(Format::PcSubscribedSkus)
    } else if has(&["prepaidUnits"]) || has(&["consumedUnits"]) && has(&["skuId"]) {
        known(Format::GraphSubscribedSkus)
    } else if has(&["totalLicenses", "commerceSubscriptionId", "ownerTenantId"]) {
        known(Format::GraphSubscriptions)
    } else if has(&["entitlementId", "offerId", "links.offer", "quantity"]) {
        known(Format::PcSubscriptions)
    } else if has(&["consumedUnits"]) {
        known(Format::PcSubscribedSkus)
    } else {
        let format = of_columns(&json_table::header(&element), named);
        let format = format.map_err(|_| unknown("its members are those of no known format"))?;
        let day = element.text("reportRefreshDate").and_then(|date| dates::lone_day(&date));
        Ok(Recognised { format, day })
    }
}

/// Whether a line is a record of ours.
fn is_record(line: &[u8]) -> bool {
    let record: Option<Value> = serde_json::from_slice(line).ok();
    record.is_some_and(|record| record.get("kind").is_some_and(Value::is_string))
}

/// What a list of nothing is, by where it comes from.
fn of_context(context: &str) -> Result<Recognised, Unrecognised> {
    let of = [
        ("#subscribedskus", Format::GraphSubscribedSkus),
        ("#directory/subscriptions", Format::GraphSubscriptions),
        ("activeuserdetail", Format::GraphUserDetail),
        ("/subscribedskus", Format::PcSubscribedSkus),
        ("/subscriptions", Format::PcSubscriptions),
        ("/customers", Format::PcCustomers),
    ];
    let found = of.iter().find(|(mark, _)| context.contains(mark));
    let format = found.map(|(_, format)| *format);
    let format = format.ok_or_else(|| unknown("it is an empty list, of what it does not say: name the format"))?;
    Ok(Recognised { format, day: None })
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

fn table(text: &[u8], named: Option<RecordKind>) -> Result<Recognised, Unrecognised> {
    let io = |error: std::io::Error| broken(error.to_string());
    let mut input = text;
    let mut lines = Lines::new(&mut input).map_err(io)?;
    let Some(Split::Fields(_, header)) = lines.next_record().map_err(io)? else {
        return Err(unknown("its first line names no columns"));
    };
    let names: Vec<String> = header.iter().map(|name| normalised(name)).collect();
    let has = |name: &str| names.iter().any(|own| own == name);
    let place = |name: &str| names.iter().position(|own| own == name);
    let format = of_columns(&header, named)?;
    if format == Format::InsightsDynamicsUsage {
        // The usage reports of other products have the same columns; theirs are not ours to call Dynamics 365.
        let other = has("partnerhierarchy") && !has("revsumcategoryname") && !has("revsumdivisionname");
        let sku = place("sku").or_else(|| place("skuname"));
        if other || mentions_power_bi(&mut lines, sku).map_err(io)? {
            return Err(unknown(
                "it may be PowerBIUsage, which has the same columns as DynamicsUsage: name the format",
            ));
        }
    }
    let day = match place("reportrefreshdate") {
        Some(place) => match lines.next_record().map_err(io)? {
            Some(Split::Fields(_, row)) => row.get(place).and_then(|date| dates::lone_day(date)),
            _ => None,
        },
        None => None,
    };
    Ok(Recognised { format, day })
}

/// The format that has these columns.
fn of_columns(header: &[String], named: Option<RecordKind>) -> Result<Format, Unrecognised> {
    let names: Vec<String> = header.iter().map(|name| normalised(name)).collect();
    let has = |name: &str| names.iter().any(|own| own == name);
    let lacking = |groups: &[&'static [&'static str]]| {
        let lacking = groups.iter().filter(|group| !group.iter().any(|name| has(name)));
        lacking.map(|group| group[0]).collect::<Vec<&str>>()
    };
    let other_report = |format| format == Format::InsightsCustomers && SUBSCRIPTION.iter().any(|name| has(name));
    if let Some((format, _)) =
        TABLES.iter().find(|(format, groups)| lacking(groups).is_empty() && !other_report(*format))
    {
        return Ok(*format);
    }
    let ours = |today| RecordColumns::find(header, &ReadOptions { named, ..ReadOptions::on(today) }).is_ok();
    if Day::from_epoch_days(0).is_some_and(ours) {
        return Ok(Format::Csv);
    }
    // One column missing of several that few tables have.
    let nearly = TABLES.iter().find(|(_, groups)| groups.len() > 2 && lacking(groups).len() == 1);
    Err(match nearly {
        Some((format, groups)) => {
            let (format, lacking) = (format.name(), lacking(groups).join(", "));
            unknown(&format!("its columns are those of {format}, but it lacks {lacking}"))
        }
        None => unknown("its columns are those of no known format"),
    })
}

fn mentions_power_bi(lines: &mut Lines<'_>, sku: Option<usize>) -> std::io::Result<bool> {
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
