//! The filters of a query as one predicate. Every scan asks it and nothing else whether something matches.

use std::collections::{BTreeSet, HashSet};

use insights_domain::facts::{Attribution, Seller};
use insights_domain::standing::Standing;

use crate::cube::compile::dimensions::DimensionColumn;
use crate::cube::compile::product_keys::ProductFilter;
use crate::cube::data::chunk::{
    AttributeRun, Attributes, ChunkCustomer, ChunkSubscription, CustomerChunk, TRIAL, standing_of,
};
use crate::cube::data::columns::{CustomerText, SubscriptionText};
use crate::cube::data::cube::{Cube, Visibility};
use crate::query::{Query, Scope};

/// Filters of texts: which text, and by its code whether it passes. Only what is filtered stands here, because every customer is
/// asked.
type TextFilters<Text> = Vec<(Text, Vec<bool>)>;

/// The filters, the scope and the caller's binding of a query.
pub struct Predicate<'a> {
    customer_texts: TextFilters<CustomerText>,
    /// Ids that pass; none: all do.
    customers: Option<HashSet<&'a str>>,
    subscription_texts: TextFilters<SubscriptionText>,
    /// Ids that pass; none: all do.
    subscriptions: Option<HashSet<&'a str>>,
    /// By seller, and whether there are attributions: in scope, and passes the filter.
    sellers: [[bool; 2]; Seller::ALL.len()],
    /// By flags of a run: standing and trial pass.
    states: [bool; 256],
    products: ProductFilter<'a>,
    /// By SKU number: it passes the product, SKU and service filters.
    skus: Vec<bool>,
    attributions: AttributionFilter<'a>,
    /// By code of a list of attributions: one of them passes.
    attribution_lists: Vec<bool>,
}

/// Location and type filters, and the locations a caller is bound to.
#[derive(Clone, Copy, Debug)]
pub struct AttributionFilter<'a> {
    locations: Option<&'a [Option<String>]>,
    types: Option<&'a [Option<String>]>,
    bound: Option<&'a BTreeSet<String>>,
}

impl AttributionFilter<'_> {
    /// The filters and the binding hold on one and the same attribution.
    pub fn passes(&self, attribution: &Attribution) -> bool {
        let bound = self
            .bound
            .is_none_or(|bound| attribution.location.as_ref().is_some_and(|location| bound.contains(location)));
        bound
            && self.locations.is_none_or(|wanted| wanted.contains(&attribution.location))
            && self.types.is_none_or(|wanted| wanted.contains(&attribution.kind))
    }
}

impl<'a> Predicate<'a> {
    pub fn new(query: &'a Query, cube: &'a Cube, view: Visibility<'a>) -> Self {
        let mut predicate = Self {
            customer_texts: Vec::new(),
            customers: None,
            subscription_texts: Vec::new(),
            subscriptions: None,
            sellers: Seller::ALL
                .map(|seller| [false, true].map(|attributed| in_scope(query.scope, seller, attributed))),
            states: [true; 256],
            products: ProductFilter::default(),
            skus: Vec::new(),
            attributions: AttributionFilter { locations: None, types: None, bound: view.locations },
            attribution_lists: Vec::new(),
        };
        for filter in &query.filters {
            predicate.restrict(filter.dimension.into(), &filter.values, cube);
        }
        predicate.skus = predicate.products.passing_skus(&cube.partner);
        let none = [Attribution::default()];
        let lists = cube.dictionaries.attributions.values().iter();
        let lists = lists.map(|list| if list.is_empty() { &none[..] } else { list.as_slice() });
        let attributions = predicate.attributions;
        predicate.attribution_lists =
            lists.map(|list| list.iter().any(|attribution| attributions.passes(attribution))).collect();
        predicate
    }

    /// Takes one filter in.
    fn restrict(&mut self, column: DimensionColumn, values: &'a [Option<String>], cube: &Cube) {
        let texts = || {
            let wanted: HashSet<&Option<String>> = values.iter().collect();
            cube.dictionaries.texts.values().iter().map(|text| wanted.contains(text)).collect()
        };
        let ids = || Some(values.iter().flatten().map(String::as_str).collect());
        let words = || values.iter().flatten().map(String::as_str);
        match column {
            DimensionColumn::Unspecified => {}
            DimensionColumn::CustomerText(text) => self.customer_texts.push((text, texts())),
            DimensionColumn::Customer => self.customers = ids(),
            DimensionColumn::SubscriptionText(text) => self.subscription_texts.push((text, texts())),
            DimensionColumn::Subscription => self.subscriptions = ids(),
            DimensionColumn::Seller => {
                let wanted: Vec<Seller> = words().filter_map(Seller::from_name).collect();
                for seller in Seller::ALL.iter().filter(|seller| !wanted.contains(seller)) {
                    self.sellers[usize::from(seller.code())] = [false; 2];
                }
            }
            DimensionColumn::Trial => {
                let wanted: Vec<bool> = words().filter_map(|word| word.to_lowercase().parse().ok()).collect();
                self.keep_states(|flags| wanted.contains(&(flags & TRIAL != 0)));
            }
            DimensionColumn::Standing => {
                let wanted: Vec<Standing> = words().filter_map(Standing::from_name).collect();
                self.keep_states(|flags| wanted.contains(&standing_of(flags)));
            }
            DimensionColumn::Product => self.products.restrict_products(values),
            DimensionColumn::Sku => self.products.restrict_skus(values),
            DimensionColumn::Service => self.products.restrict_services(values, &cube.partner),
            DimensionColumn::Location => self.attributions.locations = Some(values),
            DimensionColumn::AttributionType => self.attributions.types = Some(values),
        }
    }

    fn keep_states(&mut self, passes: impl Fn(u8) -> bool) {
        for (flags, state) in (0..=u8::MAX).zip(&mut self.states) {
            *state &= passes(flags);
        }
    }

    /// The filters of the customer hold.
    #[inline]
    pub fn customer(&self, customer: &ChunkCustomer) -> bool {
        self.customer_texts.iter().all(|(text, passes)| passes[customer.texts[*text as usize] as usize])
            && self.customers.as_ref().is_none_or(|ids| ids.contains(customer.header.id.as_str()))
    }

    /// The subscription is one of those asked for by id, if any are.
    #[inline]
    pub fn names_subscription(&self, chunk: &CustomerChunk, position: usize) -> bool {
        self.subscriptions.as_ref().is_none_or(|ids| {
            let owner = &chunk.customers[chunk.customer_of[position] as usize];
            ids.contains(owner.header.subscriptions[position - owner.first_subscription as usize].id.as_str())
        })
    }

    /// The filters of what subscriptions share hold.
    #[inline]
    pub fn attributes(&self, attributes: &Attributes) -> bool {
        self.skus.get(attributes.sku as usize).is_some_and(|passes| *passes)
            && self.sellers[usize::from(attributes.seller)][usize::from(attributes.attributions != 0)]
            && self.attribution_lists[attributes.attributions as usize]
            && self.subscription_texts.iter().all(|(text, passes)| passes[attributes.texts[*text as usize] as usize])
    }

    /// The filters of standing and trial hold.
    #[inline]
    pub fn state(&self, flags: u8) -> bool {
        self.states[usize::from(flags)]
    }

    /// Everything that holds in the months of a run passes; not its subscription's id.
    #[inline]
    pub fn run(&self, subscription: &ChunkSubscription, run: &AttributeRun) -> bool {
        self.state(run.flags) && self.attributes(&run.attributes(subscription))
    }

    /// The filters and the binding hold on this attribution.
    pub fn attribution(&self, attribution: &Attribution) -> bool {
        self.attributions.passes(attribution)
    }

    pub const fn products(&self) -> &ProductFilter<'a> {
        &self.products
    }

    pub const fn attributions(&self) -> &AttributionFilter<'a> {
        &self.attributions
    }

    /// Subscriptions are asked for by id.
    pub const fn names_subscriptions(&self) -> bool {
        self.subscriptions.is_some()
    }

    /// Neither customers nor single subscriptions are told apart.
    pub fn takes_every_customer(&self) -> bool {
        self.customer_texts.is_empty() && self.customers.is_none() && self.subscriptions.is_none()
    }
}

/// A subscription of this seller, with or without attributions, is looked at.
const fn in_scope(scope: Scope, seller: Seller, attributed: bool) -> bool {
    let own = matches!(seller, Seller::Own);
    match scope {
        Scope::AllSellers => true,
        Scope::SoldOrManaged => own || attributed,
        Scope::Own => own,
    }
}
