//! Every word is there in every language, and none that nobody says.

use std::collections::{BTreeMap, BTreeSet};

use insights_proto::metrics::v1::Measure;
use insights_proto::reporting::v1::GlossaryKind;

use super::glossary::TERMS;
use super::*;

const EXAMPLES: i32 = 9;

/// ISO 3166-1 alpha-2, and Kosovo's code in practice.
const COUNTRIES: &str = "
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW
    BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI
    FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN
    IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME
    MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF
    PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK
    YE YT ZA ZM ZW
";

/// The messages and attributes that the program says: `id` or `id.attribute`.
fn said() -> BTreeSet<String> {
    let mut said: BTreeSet<String> = titles::NAMES.iter().map(|name| id_of(name)).collect();
    said.extend(Sentence::ALL.iter().map(|sentence| sentence.id().to_owned()));
    said.extend(COUNTRIES.split_whitespace().map(country_id));
    said.extend((1..=EXAMPLES).map(|number| format!("example-{number}")));
    for code in (1..).map_while(|code| AdviceCode::try_from(code).ok()) {
        let id = advice_id(code);
        said.extend(["counted", "problem", "because", "consider", "to-try"].map(|part| format!("{id}.{part}")));
        said.insert(id);
    }
    for term in TERMS {
        let id = term.message_id();
        said.extend(term.value_name().is_none().then(|| id.clone()));
        said.insert(format!("{id}.definition"));
        said.extend(term.formula.then(|| format!("{id}.formula")));
    }
    said
}

/// The messages and attributes that the files of a language have, with the text of each.
fn written(language: Language) -> BTreeMap<String, String> {
    messages_of(&language.files())
}

/// The same of some files. What goes on below the line of its name is indented.
fn messages_of(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut written = BTreeMap::new();
    let (mut message, mut last) = (String::new(), String::new());
    for (file, text) in files {
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let attribute = line.trim_start().starts_with('.');
            if line.starts_with(' ') && !attribute {
                let text: &mut String = written.get_mut(&last).unwrap_or_else(|| panic!("{file}: of what? {line}"));
                text.push_str(&format!(" {}", line.trim()));
                continue;
            }
            let (id, text) = line.split_once(" =").unwrap_or_else(|| panic!("{file}: no message: {line}"));
            let id = match id.trim_start().strip_prefix('.') {
                Some(attribute) => format!("{message}.{attribute}"),
                None => {
                    message = id.to_owned();
                    if text.trim().is_empty() {
                        continue;
                    }
                    id.to_owned()
                }
            };
            last.clone_from(&id);
            assert_eq!(written.insert(id, text.trim().to_owned()), None, "{file}: twice: {line}");
        }
    }
    written
}

fn variables(text: &str) -> BTreeSet<String> {
    let named = |part: &str| part.split(' ').next().unwrap_or_default().to_owned();
    text.split("{ $").skip(1).map(named).collect()
}

#[test]
fn every_language_says_every_message_and_no_other() {
    let said = said();
    for language in Language::ALL {
        let written: BTreeSet<String> = written(language).into_keys().collect();
        let missing: Vec<_> = said.difference(&written).collect();
        assert!(missing.is_empty(), "{}: these are missing: {missing:?}", language.code());
        let unused: Vec<_> = written.difference(&said).collect();
        assert!(unused.is_empty(), "{}: nobody says these: {unused:?}", language.code());
    }
}

/// What only the web page says is built into it; the build refuses what it does not say.
#[test]
fn the_pages_own_words_are_there_in_every_language() {
    let files = [include_str!("../locales/en/page.ftl"), include_str!("../locales/pt/page.ftl")];
    for text in files {
        assert!(FluentResource::try_new(text.to_owned()).is_ok(), "page.ftl cannot be read");
    }
    let [english, portuguese] = files.map(|text| messages_of(&[("page.ftl", text)]));
    assert_eq!(english.keys().collect::<Vec<_>>(), portuguese.keys().collect::<Vec<_>>());
    for (id, text) in &english {
        assert_eq!(variables(text), variables(&portuguese[id]), "{id}");
    }
}

#[test]
fn every_file_can_be_read_and_every_message_said() {
    for language in Language::ALL {
        for (file, text) in language.files() {
            assert!(FluentResource::try_new(text.to_owned()).is_ok(), "{} {file} cannot be read", language.code());
        }
        for (id, text) in written(language) {
            let variables = variables(&text);
            let values: Vec<(&str, &str)> = variables.iter().map(|name| (name.as_str(), "§")).collect();
            let (message_id, attribute) = id.split_once('.').map_or((id.as_str(), None), |(id, of)| (id, Some(of)));
            let said = message(language, message_id, attribute, &values).unwrap_or_else(|| panic!("{id} is not said"));
            assert!(!said.is_empty() && !said.contains(['{', '}', '\u{2068}']), "{id}: {said}");
            assert_eq!(said.matches('§').count(), variables.len(), "{id}: {said}");
        }
    }
}

#[test]
fn languages_differ_in_words_and_not_in_values() {
    let (english, portuguese) = (written(Language::English), written(Language::Portuguese));
    for (id, text) in &english {
        let other = portuguese.get(id).map(String::as_str).unwrap_or_default();
        assert_eq!(variables(text), variables(other), "{id}");
        if id.ends_with(".definition") || id.starts_with("example-") {
            assert_ne!(text, other, "{id} is not translated");
        }
        // The numbers of a worked example are the same in every language.
        let numbers =
            |text: &str| text.split(|c: char| !c.is_ascii_digit()).map(str::to_owned).collect::<BTreeSet<_>>();
        if id.starts_with("example-") {
            assert_eq!(numbers(text), numbers(other), "{id}");
        }
    }
}

#[test]
fn counts_of_advice_agree_with_their_number() {
    let said = |language, count| advice_counted(language, AdviceCode::HowToCases, count);
    assert_eq!(said(Language::English, 1), "1 customer with how-to questions");
    assert_eq!(said(Language::English, 1_234), "1,234 customers with how-to questions");
    assert_eq!(said(Language::Portuguese, 1), "1 cliente com perguntas de como fazer");
    assert_eq!(said(Language::Portuguese, 0), "0 clientes com perguntas de como fazer");
    assert_eq!(advice_counted(Language::English, AdviceCode::Unspecified, 2), "2 ADVICE_CODE_UNSPECIFIED");
}

#[test]
fn a_message_a_language_lacks_is_said_in_english() {
    assert_eq!(title(Language::Portuguese, "FIGURE_CUSTOMERS"), "Clientes");
    assert_eq!(title(Language::Portuguese, "FIGURE_OF_TOMORROW"), "FIGURE_OF_TOMORROW");
}

/// The first column of the table under a heading.
fn column(document: &str, heading: &str) -> Vec<String> {
    let section = document.split(&format!("\n## {heading}\n")).nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = rows.filter_map(|row| row.split('|').nth(1)).flat_map(|cell| cell.split(", "));
    cells.map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
}

#[test]
fn the_glossary_has_every_word_and_measure_of_the_metric_dictionary() {
    let dictionary = include_str!("../../domain/docs/metric-dictionary.md");
    let ids: BTreeSet<String> = TERMS.iter().map(|term| term.id.replace('-', " ")).collect();
    let words = column(dictionary, "Words");
    assert!(words.len() > 10, "{words:?}");
    for word in words.iter().filter(|word| *word != "R") {
        assert!(ids.contains(word), "{word} is no term");
    }
    let measures = column(dictionary, "Measures");
    assert!(measures.len() >= 20, "{measures:?}");
    for measure in &measures {
        assert!(ids.contains(&measure.replace('_', " ")), "{measure} is no term");
    }
    let known = |kind: GlossaryKind| TERMS.iter().filter(|term| term.kind == kind).count();
    let all = |prefix: &str| titles::NAMES.iter().filter(|name| name.starts_with(prefix)).count();
    assert_eq!(known(GlossaryKind::Measure), all("MEASURE_"));
    assert_eq!(known(GlossaryKind::Dimension), all("DIMENSION_"));
    assert_eq!(known(GlossaryKind::Reason), all("REASON_"));
    assert_eq!(known(GlossaryKind::Scope), all("SCOPE_"));
    assert_eq!(known(GlossaryKind::Basis), all("BASIS_"));
    for term in TERMS {
        let known = term.value_name().is_none_or(|name| titles::NAMES.contains(&name));
        assert!(known, "{} is named after nothing", term.id);
    }
    assert!(Measure::from_str_name("MEASURE_CUSTOMERS").is_some());
}

#[test]
fn every_term_and_example_is_complete_and_unique() {
    for language in Language::ALL {
        let terms = glossary(language);
        let mut keys = BTreeSet::new();
        let mut examples = BTreeSet::new();
        for term in &terms {
            assert!(keys.insert((term.kind, term.id.clone())), "{} twice", term.id);
            assert!(!term.title.is_empty() && !term.definition.is_empty(), "{}", term.id);
            let computed = [GlossaryKind::Measure, GlossaryKind::RangeFigure].contains(&term.kind());
            assert!(!computed || !term.formula.is_empty(), "{} has no formula", term.id);
            examples.extend(term.examples.iter().map(|example| example.number));
        }
        assert_eq!(examples, (1..=EXAMPLES).collect(), "every worked example stands at a term");
    }
}

#[test]
fn texts_are_folded_for_order_and_search() {
    assert_eq!(folded("Åland ÇÃO Ελλάδα"), "aland cao ελλαδα");
    assert_eq!(country(Language::Portuguese, "BR").as_deref(), Some("Brasil"));
    assert_eq!(country(Language::English, "ZZ"), None);
}
