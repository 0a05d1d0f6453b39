//! A query made ready for the columns: every filter, group and switch as a table over codes.

use std::collections::{BTreeSet, HashMap, HashSet};

use insights_domain::calendar::Month;
use insights_domain::facts::{Attribution, Seller, ServiceNumber, SkuNumber};
use insights_domain::rollup::history_floor;
use insights_domain::standing::Standing;
use insights_proto::metrics::v1::Dimension;

use crate::cube::compile::attribute_groups::AttributeGroups;
use crate::cube::compile::codes::{GroupLimit, PlacedChunk, placed};
use crate::cube::compile::dimensions::{FLAGS_LEVEL, SUBSCRIPTION_LEVEL, VARYING, WHAT_LEVEL};
use crate::cube::compile::keys::{GroupKey, KeyLayout};
use crate::cube::data::chunk::{TRIAL, standing_of};
use crate::cube::data::cube::{Cube, View};
use crate::cube::data::dictionary::Dictionaries;
use crate::query::{Query, Scope};
use crate::rollups::header::SkuHeader;

/// The missing value of the service dimension; services are numbered from 1.
const NO_SERVICE: ServiceNumber = 0;
/// A service that a filter names and no record does: two services are asked for, though nothing is known of one.
const UNKNOWN_SERVICE: ServiceNumber = ServiceNumber::MAX;

/// Values of the service dimension of a SKU: without services it has the missing one.
fn service_values(sku: &SkuHeader) -> &[ServiceNumber] {
    if sku.services.is_empty() { &[NO_SERVICE] } else { &sku.services }
}

/// The restricting services of a query, or of one group of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restricting {
    /// Nothing restricts.
    All,
    /// These alone.
    Some(BTreeSet<ServiceNumber>),
}

impl Restricting {
    pub fn contains(&self, service: ServiceNumber) -> bool {
        match self {
            Self::All => true,
            Self::Some(services) => services.contains(&service),
        }
    }

    /// Reported users are answered for one service at a time.
    pub fn is_one(&self) -> bool {
        matches!(self, Self::Some(services) if services.len() == 1)
    }

    fn hits(&self, set: &[ServiceNumber]) -> bool {
        set.iter().any(|service| self.contains(*service))
    }
}

/// One combination of product, SKU and service among the groups.
#[derive(Debug)]
pub struct ProductKey {
    /// Its part of the key.
    pub code: GroupKey,
    /// Its restricting services.
    pub restricting: Restricting,
    /// Whether a set of services has one of them, by the set's code.
    pub hits: Vec<bool>,
}

/// A query made ready for the columns.
pub struct CompiledQuery<'a> {
    pub query: &'a Query,
    pub cube: &'a Cube,
    pub view: View<'a>,
    pub chunks: Vec<PlacedChunk<'a>>,
    /// Something comes from reports.
    pub reports: bool,
    /// Where dimensions stand in keys.
    pub layout: KeyLayout,
    /// The first and last month that give rows; none do when they are not in order.
    pub range: (Month, Month),
    /// The index of the earliest month of history.
    pub floor: i32,
    /// A subscription-level dimension is filtered, grouped by or scoped.
    pub by_subscription: bool,
    /// Groups differ within a customer.
    pub splits_customers: bool,
    /// Groups differ by a subscription-level dimension.
    pub splits_subscriptions: bool,
    /// By code of the flags: the standing and trial pass.
    pub flags: [bool; 256],
    /// Standing or trial is filtered or grouped by.
    pub flags_matter: bool,
    /// By SKU number: it passes the product, SKU and service filters.
    pub sku_passes: Vec<bool>,
    /// By SKU number: it is free.
    pub sku_free: Vec<bool>,
    /// The combinations of product, SKU and service; one without a code when the query does not split by them.
    pub product_keys: Vec<ProductKey>,
    /// By SKU number: which of `whats` a subscription of it falls into.
    pub product_keys_of_sku: Vec<Vec<u32>>,
    /// By service: which of `whats` are restricted to services with it.
    pub product_keys_of_service: HashMap<ServiceNumber, Vec<u32>>,
    /// By code of a list of attributions: the parts of the key of those that pass; none: it does not pass.
    pub attribution_keys: Vec<Vec<GroupKey>>,
    /// By code of a list of attributions: the same for a reported usage row.
    pub usage_attribution_keys: Vec<Vec<GroupKey>>,
    /// Names of products by their code − 1.
    pub products: Vec<String>,
    // By code of a text: it passes the dimension's filter; none: everything does.
    pub countries: Option<Vec<bool>>,
    pub segments: Option<Vec<bool>>,
    pub industries: Option<Vec<bool>>,
    pub sales_channels: Option<Vec<bool>>,
    pub pricing_models: Option<Vec<bool>>,
    /// Ids that pass; none: all do.
    pub customers: Option<HashSet<String>>,
    pub subscriptions: Option<HashSet<String>>,
    sellers: Option<[bool; 3]>,
    /// Only these groups, and only customers of theirs.
    pub limit: Option<GroupLimit>,
    /// Keys of groups differ by the customer, or the subscription, and not only by what steady ones share.
    pub keys_vary: bool,
    /// What it makes of steady subscriptions.
    pub attribute_groups: AttributeGroups,
}

impl<'a> CompiledQuery<'a> {
    pub fn new(query: &'a Query, cube: &'a Cube, view: View<'a>) -> Self {
        let grouped = |dimensions: &[Dimension]| query.group_by.iter().any(|dimension| dimensions.contains(dimension));
        let filtered = query.filters.iter().any(|filter| SUBSCRIPTION_LEVEL.contains(&filter.dimension));
        let splits_subscriptions = grouped(&SUBSCRIPTION_LEVEL);
        let (chunks, customers, subscriptions) = placed(cube);
        let (products, last) = (products_of(cube), cube.partner.last_month());
        let mut compiled = Self {
            query,
            cube,
            view,
            reports: chunks.iter().any(|placed| placed.chunk.reported),
            chunks,
            layout: KeyLayout::new(&query.group_by, |dimension| match dimension {
                Dimension::Customer => customers as usize + 1,
                Dimension::Subscription => subscriptions as usize + 1,
                Dimension::Product => products.len() + 1,
                Dimension::Sku => cube.partner.skus.keys().next_back().map_or(1, |last| *last as usize + 1),
                Dimension::Service => cube.partner.services.keys().next_back().map_or(1, |last| *last as usize + 1),
                Dimension::Seller => Seller::ALL.len() + 1,
                Dimension::Trial => 3,
                Dimension::Standing => Standing::ALL.len() + 1,
                _ => cube.dictionaries.texts.values().len(),
            }),
            range: (query.from.max(history_floor(last)), query.to.min(last)),
            floor: history_floor(last).index(),
            by_subscription: filtered
                || splits_subscriptions
                || query.scope != Scope::AllSellers
                || view.locations.is_some(),
            splits_customers: splits_subscriptions || grouped(&WHAT_LEVEL),
            splits_subscriptions,
            flags: [false; 256],
            flags_matter: grouped(&FLAGS_LEVEL)
                || query.filters.iter().any(|filter| FLAGS_LEVEL.contains(&filter.dimension)),
            sku_passes: Vec::new(),
            sku_free: Vec::new(),
            product_keys: Vec::new(),
            product_keys_of_sku: Vec::new(),
            product_keys_of_service: HashMap::new(),
            attribution_keys: Vec::new(),
            usage_attribution_keys: Vec::new(),
            products,
            countries: None,
            segments: None,
            industries: None,
            sales_channels: None,
            pricing_models: None,
            customers: None,
            subscriptions: None,
            sellers: None,
            limit: None,
            keys_vary: grouped(&VARYING),
            attribute_groups: AttributeGroups::default(),
        };
        compiled.prepare_values(&cube.dictionaries);
        compiled.prepare_flags();
        compiled.prepare_product_keys();
        compiled.prepare_attribution_keys(&cube.dictionaries);
        compiled.attribute_groups = AttributeGroups::of(&compiled);
        compiled
    }

    /// Whether a seller, with or without attributions, is in scope and passes its filter.
    pub fn seller_passes(&self, seller: u8, attributed: bool) -> bool {
        let own = seller == Seller::Own.code();
        let in_scope = match self.query.scope {
            Scope::AllSellers => true,
            Scope::SoldOrManaged => own || attributed,
            Scope::Own => own,
        };
        in_scope && self.sellers.is_none_or(|sellers| sellers[usize::from(seller)])
    }

    fn values(&self, dimension: Dimension) -> Option<&'a [Option<String>]> {
        self.query.filter(dimension).map(|filter| filter.values.as_slice())
    }

    fn prepare_values(&mut self, dictionaries: &Dictionaries) {
        let query = self.query;
        let values = |dimension| query.filter(dimension).map(|filter| filter.values.as_slice());
        let texts = |dimension| {
            let wanted: HashSet<&Option<String>> = values(dimension)?.iter().collect();
            Some(dictionaries.texts.values().iter().map(|text| wanted.contains(text)).collect())
        };
        let ids = |dimension| Some(values(dimension)?.iter().flatten().cloned().collect());
        (self.countries, self.segments) = (texts(Dimension::Country), texts(Dimension::Segment));
        self.industries = texts(Dimension::Industry);
        self.sales_channels = texts(Dimension::SalesChannel);
        self.pricing_models = texts(Dimension::PricingModel);
        (self.customers, self.subscriptions) = (ids(Dimension::Customer), ids(Dimension::Subscription));
        self.sellers = self.values(Dimension::Seller).map(|values| {
            Seller::ALL.map(|seller| values.iter().flatten().any(|value| Seller::from_name(value) == Some(seller)))
        });
    }

    fn prepare_flags(&mut self) {
        let standings: Option<Vec<Standing>> = self
            .values(Dimension::Standing)
            .map(|values| values.iter().flatten().filter_map(|value| Standing::from_name(value)).collect());
        let trials: Option<Vec<bool>> = self
            .values(Dimension::Trial)
            .map(|values| values.iter().flatten().filter_map(|value| value.to_lowercase().parse().ok()).collect());
        for flags in 0..=u8::MAX {
            self.flags[usize::from(flags)] =
                standings.as_ref().is_none_or(|wanted| wanted.contains(&standing_of(flags)))
                    && trials.as_ref().is_none_or(|wanted| wanted.contains(&(flags & TRIAL != 0)));
        }
    }

    fn prepare_product_keys(&mut self) {
        let skus = &self.cube.partner.skus;
        let size = skus.keys().next_back().map_or(0, |last| *last as usize + 1);
        self.sku_passes = vec![false; size];
        self.sku_free = vec![false; size];
        self.product_keys_of_sku = vec![Vec::new(); size];
        let service_filter = self.service_filter();
        let mut positions: HashMap<GroupKey, u32> = HashMap::new();
        for (number, sku) in skus.iter().filter(|(_, sku)| sku.known) {
            let service_passes =
                service_filter.as_ref().is_none_or(|wanted| service_values(sku).iter().any(|s| wanted.contains(s)));
            self.sku_passes[*number as usize] = self.names_sku(*number) && service_passes;
            self.sku_free[*number as usize] = sku.free;
            for code in self.product_key_codes(*number) {
                let position = self.product_key(code, &mut positions);
                self.product_keys_of_sku[*number as usize].push(position);
            }
        }
        let only_services = self.query.group_by.contains(&Dimension::Service)
            && !self.query.group_by.iter().any(|dimension| matches!(dimension, Dimension::Product | Dimension::Sku));
        if only_services {
            for service in self.cube.partner.services.keys() {
                self.product_key(self.group_part(Dimension::Service, *service), &mut positions);
            }
        }
        if !self.query.group_by.iter().any(|dimension| WHAT_LEVEL.contains(dimension)) {
            self.product_key(0, &mut positions);
        }
        for (position, product_key) in self.product_keys.iter().enumerate() {
            if let Restricting::Some(services) = &product_key.restricting {
                for service in services {
                    self.product_keys_of_service
                        .entry(*service)
                        .or_default()
                        .push(u32::try_from(position).unwrap_or(u32::MAX));
                }
            }
        }
    }

    /// The position of the combination with this part of the key.
    fn product_key(&mut self, code: GroupKey, positions: &mut HashMap<GroupKey, u32>) -> u32 {
        if let Some(position) = positions.get(&code) {
            return *position;
        }
        let restricting = self.restricting(code);
        let hits = self.cube.dictionaries.services.values().iter().map(|set| restricting.hits(set)).collect();
        let position = u32::try_from(self.product_keys.len()).unwrap_or(u32::MAX);
        self.product_keys.push(ProductKey { code, restricting, hits });
        positions.insert(code, position);
        position
    }

    fn service_filter(&self) -> Option<BTreeSet<ServiceNumber>> {
        let values = self.values(Dimension::Service)?;
        let wanted: HashSet<&str> = values.iter().flatten().map(String::as_str).collect();
        let services = self.cube.partner.services.iter();
        let named: BTreeSet<ServiceNumber> =
            services.filter(|(_, name)| wanted.contains(name.as_str())).map(|(number, _)| *number).collect();
        let unknown = (named.len() < wanted.len()).then_some(UNKNOWN_SERVICE);
        Some(named.into_iter().chain(values.contains(&None).then_some(NO_SERVICE)).chain(unknown).collect())
    }

    /// The product and SKU filters hold for a SKU.
    fn names_sku(&self, number: SkuNumber) -> bool {
        let Some(sku) = self.cube.partner.skus.get(&number) else { return false };
        let named = |dimension, value: &String| {
            self.values(dimension).is_none_or(|wanted| wanted.iter().flatten().any(|name| name == value))
        };
        named(Dimension::Product, &sku.product) && named(Dimension::Sku, &sku.id)
    }

    /// The parts of the key a subscription of a SKU falls into.
    fn product_key_codes(&self, number: SkuNumber) -> Vec<GroupKey> {
        let sku = &self.cube.partner.skus[&number];
        let base = self.group_part(Dimension::Product, self.product_code(&sku.product))
            + self.group_part(Dimension::Sku, number);
        if !self.query.group_by.contains(&Dimension::Service) {
            return vec![base];
        }
        service_values(sku).iter().map(|service| base + self.group_part(Dimension::Service, *service)).collect()
    }

    fn product_code(&self, product: &str) -> u32 {
        let position = self.products.binary_search_by(|known| known.as_str().cmp(product));
        position.map_or(0, |position| u32::try_from(position + 1).unwrap_or(u32::MAX))
    }

    /// The restricting services of a group: those of the SKUs the product and SKU filters and the group name together,
    /// and of those the ones the service filter and the group name.
    fn restricting(&self, code: GroupKey) -> Restricting {
        let grouped = |dimension| {
            self.query.group_by.iter().position(|group| *group == dimension).map(|at| self.layout.code(code, at))
        };
        let (product, sku, service) =
            (grouped(Dimension::Product), grouped(Dimension::Sku), grouped(Dimension::Service));
        let by_sku = product.or(sku).is_some()
            || self.values(Dimension::Product).is_some()
            || self.values(Dimension::Sku).is_some();
        let mut services = if by_sku {
            let named = self.cube.partner.skus.iter().filter(|(number, header)| {
                header.known
                    && self.names_sku(**number)
                    && product.is_none_or(|product| self.product_code(&header.product) == product)
                    && sku.is_none_or(|sku| **number == sku)
            });
            Restricting::Some(named.flat_map(|(_, header)| header.services.iter().copied()).collect())
        } else {
            Restricting::All
        };
        let narrowings = [self.service_filter(), service.map(|service| BTreeSet::from([service]))];
        for narrowing in narrowings.into_iter().flatten() {
            let both = narrowing.into_iter().filter(|service| *service != NO_SERVICE && services.contains(*service));
            services = Restricting::Some(both.collect());
        }
        services
    }

    fn prepare_attribution_keys(&mut self, dictionaries: &Dictionaries) {
        let codes: HashMap<&Option<String>, u32> = dictionaries.texts.values().iter().zip(0..).collect();
        let parts_of = |attributions: &[Attribution]| {
            let mut parts: Vec<GroupKey> =
                attributions.iter().filter_map(|attribution| self.attribution_key_of(attribution, &codes)).collect();
            parts.sort_unstable();
            parts.dedup();
            parts
        };
        let lists = dictionaries.attributions.values();
        let none = [Attribution::default()];
        let attribution_keys = lists.iter().map(|list| parts_of(if list.is_empty() { &none } else { list })).collect();
        let usage_attribution_keys = lists.iter().map(|list| parts_of(list)).collect();
        self.attribution_keys = attribution_keys;
        self.usage_attribution_keys = usage_attribution_keys;
    }

    /// The location and type filters and the binding hold on one attribution.
    pub fn attribution_passes(&self, attribution: &Attribution) -> bool {
        let bound = self
            .view
            .locations
            .is_none_or(|bound| attribution.location.as_ref().is_some_and(|location| bound.contains(location)));
        let wanted =
            |dimension, value: &Option<String>| self.values(dimension).is_none_or(|values| values.contains(value));
        bound
            && wanted(Dimension::Location, &attribution.location)
            && wanted(Dimension::AttributionType, &attribution.kind)
    }

    /// The part of the key of one attribution that passes the location and type filters and the binding.
    fn attribution_key_of(&self, attribution: &Attribution, codes: &HashMap<&Option<String>, u32>) -> Option<GroupKey> {
        let part = |dimension, value: &Option<String>| {
            self.group_part(dimension, codes.get(value).copied().unwrap_or_default())
        };
        self.attribution_passes(attribution).then(|| {
            part(Dimension::Location, &attribution.location) + part(Dimension::AttributionType, &attribution.kind)
        })
    }

    /// A dimension's part of the key; 0 when the query does not split by it.
    pub fn group_part(&self, dimension: Dimension, code: u32) -> GroupKey {
        self.layout.part(dimension, code)
    }
}

/// The names of the products, sorted.
fn products_of(cube: &Cube) -> Vec<String> {
    let mut products: Vec<String> = cube.partner.skus.values().map(|sku| sku.product.clone()).collect();
    products.sort_unstable();
    products.dedup();
    products
}
