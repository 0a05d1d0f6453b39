//! Names of customers, SKUs, locations and products.

use std::collections::{BTreeSet, HashSet};

use insights_proto::metrics::v1::{Dimension, LookUpNamesRequest, Name};
use insights_service::Error;

use super::parse::Parser;
use crate::config::QueryLimits;
use crate::cube::{Cube, Visibility};

/// Whose names are wanted.
#[derive(Debug)]
pub struct NameLookup {
    dimension: Dimension,
    /// Empty: all.
    ids: HashSet<String>,
    /// Part of the id or name, in lower case; empty: all.
    search: String,
    most: usize,
}

/// What the request wants.
pub fn parse(request: &LookUpNamesRequest, limits: &QueryLimits) -> Result<NameLookup, Error> {
    let mut parser = Parser::new(limits);
    let dimension = Dimension::try_from(request.dimension).unwrap_or_default();
    if !matches!(dimension, Dimension::Customer | Dimension::Sku | Dimension::Location | Dimension::Product) {
        parser.fault("dimension", "must be customer, sku, location or product");
    }
    parser.min_version(request.min_version);
    if request.ids.len() > limits.names {
        parser.fault("ids", format!("has {} entries, more than {}", request.ids.len(), limits.names));
    }
    if request.search.len() > limits.value_bytes {
        parser.fault("search", format!("is longer than {} bytes", limits.value_bytes));
    } else if !request.search.is_empty() && !request.ids.is_empty() {
        parser.fault("search", "goes without ids");
    }
    let ids = request.ids.iter().cloned().collect();
    parser.finish(NameLookup { dimension, ids, search: request.search.to_lowercase(), most: limits.names })
}

impl NameLookup {
    /// Those that the caller may see.
    pub fn find(&self, cube: &Cube, view: Visibility<'_>) -> Vec<Name> {
        let partner = cube.partner();
        let entry = |(id, name): (&str, &str)| Name { id: id.to_owned(), name: name.to_owned() };
        let wanted = |(id, name): &(&str, &str)| {
            (self.ids.is_empty() || self.ids.contains(*id)) && (self.found(id) || self.found(name))
        };
        let known = partner.skus.values().filter(|sku| sku.known);
        let mut found: Vec<(&str, &str)> = match self.dimension {
            Dimension::Customer => {
                let customers = cube.customers(view);
                let named = customers.map(|of| (of.id.as_str(), of.name.as_deref().unwrap_or_default()));
                named.filter(wanted).collect()
            }
            Dimension::Sku => known.map(|sku| (sku.id.as_str(), sku.name.as_str())).filter(wanted).collect(),
            Dimension::Product => {
                let products: BTreeSet<&str> = known.map(|sku| sku.product.as_str()).collect();
                products.into_iter().map(|name| (name, name)).filter(wanted).collect()
            }
            Dimension::Location => {
                let seen = |id: &String| view.locations.is_none_or(|bound| bound.contains(id));
                let locations = partner.locations.iter().filter(|(id, _)| seen(id));
                locations.map(|(id, name)| (id.as_str(), name.as_str())).filter(wanted).collect()
            }
            _ => Vec::new(),
        };
        // What was searched for to the letter is found however many others it is a part of.
        found.sort_by_cached_key(|(id, name)| (id.to_lowercase() != self.search, name.to_lowercase(), *id));
        found.into_iter().take(self.most).map(entry).collect()
    }

    fn found(&self, text: &str) -> bool {
        self.search.is_empty() || text.to_lowercase().contains(&self.search)
    }
}
