//! Titles and the glossary. They contain no figures, so the calls are not audited.

use insights_access::principal;
use insights_messages::{Language, glossary as terms_of, term_key, titles};
use insights_proto::reporting::v1 as wire;
use insights_service::{Error, FieldViolation, PageToken, page_size};
use tonic::{Request, Response};

use super::{HandlerResult, ReportingApi, call::language};

/// Terms of a page at most.
const LARGEST_PAGE: usize = 500;
/// Longest text to search for, in bytes.
const SEARCH_BYTES: usize = 256;

/// Lists terms of the glossary.
pub fn glossary(
    api: &ReportingApi,
    request: &Request<wire::ListGlossaryTermsRequest>,
) -> HandlerResult<wire::ListGlossaryTermsResponse> {
    let caller = principal(request)?;
    let tokens = PageToken::of(api.audit.list_token_key(), caller.subject(), &caller, request.get_ref());
    Ok(Response::new(page(language(request.metadata()), request.get_ref(), &tokens)?))
}

/// Lists titles.
pub fn words(request: &Request<wire::GetWordsRequest>) -> HandlerResult<wire::GetWordsResponse> {
    let language = language(request.metadata());
    Ok(Response::new(wire::GetWordsResponse { language: language.code().to_owned(), words: titles(language) }))
}

/// A page of the glossary, or the fields at fault.
fn page(
    language: Language,
    request: &wire::ListGlossaryTermsRequest,
    tokens: &PageToken<String>,
) -> Result<wire::ListGlossaryTermsResponse, Error> {
    let mut faults = Vec::new();
    let size = page_size(request.page_size, LARGEST_PAGE, LARGEST_PAGE).unwrap_or_else(|fault| {
        faults.push(fault);
        LARGEST_PAGE
    });
    if request.search.len() > SEARCH_BYTES {
        faults.push(FieldViolation::new("search", format!("is longer than {SEARCH_BYTES} bytes")));
    }
    let search = request.search.trim().to_lowercase();
    let mut terms = terms_of(language);
    terms.retain(|term| {
        [&term.id, &term.title, &term.definition].iter().any(|text| text.to_lowercase().contains(&search))
    });
    // The token names the first term of the next page, because versions of the program have different terms.
    let first = tokens.read(&request.page_token).and_then(|place| match place {
        None => Ok(0),
        Some(place) => terms.iter().position(|term| term_key(term) == place).ok_or_else(|| {
            FieldViolation::new("page_token", "names a term that there is no more; begin with the first page again")
        }),
    });
    let first = first.unwrap_or_else(|fault| {
        faults.push(fault);
        0
    });
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let next_page_token = terms.get(first + size).map(|term| tokens.write(&term_key(term))).unwrap_or_default();
    let terms = terms.into_iter().skip(first).take(size).collect();
    Ok(wire::ListGlossaryTermsResponse { language: language.code().to_owned(), terms, next_page_token })
}

#[cfg(test)]
mod tests {
    use insights_access::Viewer;
    use insights_proto::reporting::v1::ListGlossaryTermsRequest;
    use insights_service::PageTokenKey;

    use super::*;

    fn page(language: Language, request: &ListGlossaryTermsRequest) -> Result<wire::ListGlossaryTermsResponse, Error> {
        let key = PageTokenKey::derived_from(b"a secret");
        let viewer = Viewer::stored("contoso", "report_viewer", None);
        super::page(language, request, &PageToken::of(&key, "ada", &viewer, request))
    }

    #[test]
    fn pages_of_the_glossary_are_all_of_it() {
        let all = terms_of(Language::Portuguese);
        let mut request = ListGlossaryTermsRequest { page_size: 7, ..Default::default() };
        let mut terms = Vec::new();
        loop {
            let page = page(Language::Portuguese, &request).expect("a page");
            assert!(page.terms.len() <= 7);
            terms.extend(page.terms);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(terms, all);
        let found = ListGlossaryTermsRequest { search: "Yammer".into(), ..Default::default() };
        let found = page(Language::English, &found).expect("a page").terms;
        assert_eq!(found.iter().map(|term| term.id.as_str()).collect::<Vec<_>>(), ["UNLICENSED_USE"]);
        for wrong in ["x", "1.", "9.nothing"] {
            let request = ListGlossaryTermsRequest { page_token: wrong.into(), ..Default::default() };
            assert!(page(Language::English, &request).is_err(), "{wrong}");
        }
        let negative = ListGlossaryTermsRequest { page_size: -1, search: "x".repeat(257), ..Default::default() };
        assert!(page(Language::English, &negative).is_err());
    }
}
