//! The product speaks the language its callers ask for, through the API and in the terminal.
#![allow(clippy::unwrap_used, reason = "tests")]

use insights_access::Role;
use insights_proto::reporting::v1::{GetWordsResponse, ListGlossaryTermsRequest, ListGlossaryTermsResponse};
use insights_testkit::insights;
use insights_tests::product::Product;
use insights_tests::records::smallest;
use insights_tests::wire::{EMPTY, frame};
use prost::Message;
use serde_json::Value;
use tempfile::TempDir;

const WORDS: &str = "/insights.reporting.v1.ReportingService/GetWords";
const GLOSSARY: &str = "/insights.reporting.v1.ReportingService/ListGlossaryTerms";

#[tokio::test(flavor = "multi_thread")]
async fn the_api_speaks_the_language_of_the_call() {
    let product = Product::sqlite().await;
    // Machines read words too: every role may.
    let bearer = format!("Bearer {}", product.token("contoso", &[Role::DataSource], &[]));
    for (wish, language, customers) in [
        (None, "en", "Customers"),
        (Some("pt-BR,pt;q=0.9,en;q=0.8"), "pt", "Clientes"),
        (Some("de, pt;q=0.5"), "pt", "Clientes"),
        (Some("de"), "en", "Customers"),
        (Some("en;q=0.2, pt;q=0.3"), "pt", "Clientes"),
    ] {
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(wish.map(|wish| ("accept-language", wish)));
        let answer = product.wire.call(WORDS, &headers, EMPTY).await.unwrap();
        let words = GetWordsResponse::decode(&answer.body[5..]).unwrap();
        assert_eq!(words.language, language, "{wish:?}");
        let word = words.words.iter().find(|word| word.key == "FIGURE_CUSTOMERS").unwrap();
        assert_eq!(word.text, customers, "{wish:?}");
        assert!(words.words.is_sorted_by(|one, next| one.key < next.key));

        let request = ListGlossaryTermsRequest { search: "churned_over_range".into(), ..Default::default() };
        let answer = product.wire.call(GLOSSARY, &headers, &frame(&request.encode_to_vec())).await.unwrap();
        let terms = ListGlossaryTermsResponse::decode(&answer.body[5..]).unwrap();
        assert_eq!((terms.language.as_str(), terms.terms.len()), (language, 1), "{wish:?}");
    }
    // Through a browser's door as well.
    let headers =
        [("authorization", bearer.as_str()), ("accept-language", "pt"), ("content-type", "application/grpc-web+proto")];
    let answer = product.wire.call(WORDS, &headers, EMPTY).await.unwrap();
    assert!(String::from_utf8_lossy(&answer.body).contains("Clientes ativos"));
}

/// A product, and a file with a token of the Global admin.
async fn served() -> (Product, TempDir) {
    let product = Product::sqlite().await;
    let version = product.ingest("contoso", smallest(12_345)).await;
    assert!(version > 0);
    let folder = tempfile::tempdir().unwrap();
    let token = product.token("contoso", &[Role::GlobalAdmin], &[]);
    insights_testkit::write_secret(folder.path().join("token"), token).unwrap();
    (product, folder)
}

/// What a command prints, in an environment of its own.
async fn said(product: &Product, folder: &TempDir, args: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = tokio::process::Command::from(insights());
    for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(name);
    }
    command.envs(environment.iter().copied());
    command.env("INSIGHTS_DATA_DIR", folder.path()).env("INSIGHTS_SERVER", format!("http://{}", product.address));
    command.env("INSIGHTS_TOKEN_FILE", folder.path().join("token"));
    let output = command.args(args).output().await.unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_speaks_the_language_of_its_user() {
    let (product, folder) = served().await;
    let range = ["report", "dynamics-usage", "--from", "2025-01", "--to", "2025-03"];
    let english = said(&product, &folder, &range, &[]).await;
    assert!(english.starts_with("Dynamics usage  2025-01 to 2025-03, complete through 2025-03-31"), "{english}");
    assert!(english.contains("Available seats") && english.contains("12,345"), "{english}");
    assert!(english.contains("by SKU") && english.contains("by market"), "{english}");

    let portuguese = said(&product, &folder, &range, &[("LANG", "pt_BR.UTF-8")]).await;
    assert!(portuguese.starts_with("Uso do Dynamics  2025-01 a 2025-03, completo até 2025-03-31"), "{portuguese}");
    assert!(portuguese.contains("Licenças disponíveis") && portuguese.contains("12.345"), "{portuguese}");
    assert!(portuguese.contains("por mercado") && portuguese.contains("0,00 %"), "{portuguese}");
    for word in ["Available", "seats", "change", "market"] {
        assert!(!portuguese.contains(word), "{word} is left in English: {portuguese}");
    }
    let flag: Vec<&str> = range.iter().copied().chain(["--language", "pt"]).collect();
    assert_eq!(said(&product, &folder, &flag, &[("LANG", "en_US.UTF-8")]).await, portuguese);

    // Programs read the same in every language.
    let json: Vec<&str> = flag.iter().copied().chain(["--json"]).collect();
    let json: Value = serde_json::from_str(&said(&product, &folder, &json, &[]).await).unwrap();
    assert_eq!((&json["page"], &json["cards"][0]["figure"]), (&"Dynamics usage".into(), &"available_seats".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_is_given_in_the_language_of_its_reader() {
    let (product, folder) = served().await;
    let advice = ["report", "advice", "--from", "2025-01", "--to", "2025-03"];
    let english = said(&product, &folder, &advice, &[]).await;
    assert!(english.contains("Low adoption at C-1") && english.contains("0 of 12,345 available seats"), "{english}");
    let portuguese = said(&product, &folder, &advice, &[("LANG", "pt_PT")]).await;
    assert!(portuguese.starts_with("Conselhos  2025-03\n1 baixa adoção"), "{portuguese}");
    assert!(portuguese.contains("1. Baixa adoção em C-1"), "{portuguese}");
    assert!(portuguese.contains("0 de 12.345 licenças disponíveis foram usadas"), "{portuguese}");
    assert!(portuguese.contains("O que experimentar  Estudos de caso"), "{portuguese}");
    for word in ["Problem ", "Consider", "seats", "adoption"] {
        assert!(!portuguese.contains(word), "{word} is left in English: {portuguese}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_shows_glossary_and_audit() {
    let (product, folder) = served().await;
    let english = said(&product, &folder, &["glossary", "yammer"], &[]).await;
    assert!(english.starts_with("Use without a licence  (reason, UNLICENSED_USE)\n"), "{english}");
    assert!(english.contains("4. Yammer used by 30 users"), "{english}");
    let all = said(&product, &folder, &["glossary", "--json", "--language", "pt"], &[]).await;
    let all: Vec<Value> = serde_json::from_str(&all).unwrap();
    let term = all.iter().find(|term| term["id"] == "active_usage_percent").unwrap();
    assert_eq!(term["title"], "% de uso ativo");
    assert_eq!(term["formula"], "Σ ativas / Σ disponíveis");
    assert_eq!(term["examples"][0]["number"], 1);

    said(&product, &folder, &["report", "customers", "--filter", "country=BR"], &[]).await;
    let audit = said(&product, &folder, &["audit", "--method", "GetCustomersDashboard", "--json"], &[]).await;
    let audit: Vec<Value> = serde_json::from_str(&audit).unwrap();
    assert_eq!(audit.len(), 1);
    assert_eq!((&audit[0]["who"], &audit[0]["outcome"]), (&"ada".into(), &"OK".into()));
    assert_eq!(audit[0]["asked"]["page"]["filters"][0]["values"][0]["value"], "BR");
    let table = said(&product, &folder, &["audit", "--limit", "1"], &[]).await;
    assert!(table.starts_with("time") && table.contains("ListAuditEntries") && table.lines().count() == 2, "{table}");
}
