//! Words and glossary. They show no figures, so they are not audited.

use insights_messages::{Language, glossary as terms_of, term_key, titles};
use insights_proto::reporting::v1 as wire;
use insights_service::{Error, FieldViolation};
use tonic::{Request, Response};

use super::{HandlerResult, call::language};
use crate::dashboards::PageTokens;

/// Terms of a page at most.
const LARGEST_PAGE: usize = 500;
/// The longest text to look for, in bytes.
const SEARCH_BYTES: usize = 256;

/// Lists terms of the glossary.
pub fn glossary(request: &Request<wire::ListGlossaryTermsRequest>) -> HandlerResult<wire::ListGlossaryTermsResponse> {
    Ok(Response::new(page(language(request.metadata()), request.get_ref())?))
}

/// Says what things are called.
pub fn words(request: &Request<wire::GetWordsRequest>) -> HandlerResult<wire::GetWordsResponse> {
    let language = language(request.metadata());
    Ok(Response::new(wire::GetWordsResponse { language: language.code().to_owned(), words: titles(language) }))
}

/// A page of the glossary, or the fields at fault.
fn page(
    language: Language,
    request: &wire::ListGlossaryTermsRequest,
) -> Result<wire::ListGlossaryTermsResponse, Error> {
    let mut faults = Vec::new();
    let size = usize::try_from(request.page_size);
    if size.is_err() {
        faults.push(FieldViolation::new("page_size", "is negative"));
    }
    if request.search.len() > SEARCH_BYTES {
        faults.push(FieldViolation::new("search", format!("is longer than {SEARCH_BYTES} bytes")));
    }
    let search = request.search.trim().to_lowercase();
    let mut terms = terms_of(language);
    terms.retain(|term| {
        [&term.id, &term.title, &term.definition].iter().any(|text| text.to_lowercase().contains(&search))
    });
    // The token names the first term of the page: terms may come and go with versions of the program.
    let list = wire::ListGlossaryTermsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let tokens = PageTokens::of("", "ListGlossaryTerms", &list);
    let first = match tokens.read(&request.page_token) {
        Ok(None) => Some(0),
        Ok(Some(place)) => terms.iter().position(|term| term_key(term) == place),
        Err(_) => None,
    };
    let Some(first) = first else {
        faults.push(FieldViolation::new("page_token", "is not one that was given out for this list"));
        return Err(Error::Invalid(faults));
    };
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let size = size.ok().filter(|size| *size > 0).unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE);
    let next_page_token = terms.get(first + size).map(|term| tokens.write(&term_key(term))).unwrap_or_default();
    let terms = terms.into_iter().skip(first).take(size).collect();
    Ok(wire::ListGlossaryTermsResponse { language: language.code().to_owned(), terms, next_page_token })
}

#[cfg(test)]
mod tests {
    use insights_proto::reporting::v1::ListGlossaryTermsRequest;

    use super::*;

    #[test]
    fn pages_of_the_glossary_are_all_of_it() {
        let all = terms_of(Language::Portuguese);
        let mut request = ListGlossaryTermsRequest { page_size: 7, ..Default::default() };
        let mut terms = Vec::new();
        loop {
            let page = super::page(Language::Portuguese, &request).expect("a page");
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
