//! Words and glossary. They show no figures, so they are not audited.

use insights_proto::reporting::v1 as wire;
use tonic::{Request, Response};

use super::Answer;
use crate::words::{Language, glossary_page, titles};

/// Lists terms of the glossary.
pub fn glossary(request: &Request<wire::ListGlossaryTermsRequest>) -> Answer<wire::ListGlossaryTermsResponse> {
    let language = Language::of_call(request.metadata());
    Ok(Response::new(glossary_page(language, request.get_ref())?))
}

/// Says what things are called.
pub fn words(request: &Request<wire::GetWordsRequest>) -> Answer<wire::GetWordsResponse> {
    let language = Language::of_call(request.metadata());
    Ok(Response::new(wire::GetWordsResponse { language: language.code().to_owned(), words: titles(language) }))
}
