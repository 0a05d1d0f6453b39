//! Products, SKUs and services: which of them a query is about, and the parts of its keys that they give.

use std::collections::{BTreeSet, HashMap, HashSet};

use insights_domain::facts::{ServiceNumber, SkuNumber};
use insights_domain::ids::same_name;

use crate::cube::compile::dimensions::{DimensionColumn, Level};
use crate::cube::compile::keys::{GroupKey, KeyLayout};
use crate::cube::data::cube::Cube;
use crate::rollups::header::{PartnerHeader, SkuHeader};

/// The missing value of the service dimension; services are numbered from 1.
const NO_SERVICE: ServiceNumber = 0;
/// A service that a filter names and no record does: two services are asked for, though nothing is known of one.
const UNKNOWN_SERVICE: ServiceNumber = ServiceNumber::MAX;

/// Values of the service dimension of a SKU: without services it has the missing one.
fn service_values(sku: &SkuHeader) -> &[ServiceNumber] {
    if sku.services.is_empty() { &[NO_SERVICE] } else { &sku.services }
}

/// The product, SKU and service filters of a query; none: all pass.
#[derive(Clone, Debug, Default)]
pub struct ProductFilter<'a> {
    products: Option<&'a [Option<String>]>,
    skus: Option<&'a [Option<String>]>,
    services: Option<BTreeSet<ServiceNumber>>,
}

impl<'a> ProductFilter<'a> {
    pub const fn restrict_products(&mut self, names: &'a [Option<String>]) {
        self.products = Some(names);
    }

    pub const fn restrict_skus(&mut self, ids: &'a [Option<String>]) {
        self.skus = Some(ids);
    }

    pub fn restrict_services(&mut self, names: &[Option<String>], partner: &PartnerHeader) {
        let wanted: HashSet<&str> = names.iter().flatten().map(String::as_str).collect();
        let services = partner.services.iter();
        let named: BTreeSet<ServiceNumber> =
            services.filter(|(_, name)| wanted.contains(name.as_str())).map(|(number, _)| *number).collect();
        let unknown = (named.len() < wanted.len()).then_some(UNKNOWN_SERVICE);
        let missing = names.contains(&None).then_some(NO_SERVICE);
        self.services = Some(named.into_iter().chain(missing).chain(unknown).collect());
    }

    /// By SKU number: it is in the catalogue and passes all three filters.
    pub fn passing_skus(&self, partner: &PartnerHeader) -> Vec<bool> {
        let mut passes = vec![false; sku_numbers(partner)];
        for (number, sku) in partner.skus.iter().filter(|(_, sku)| sku.known) {
            let service = self.services.as_ref();
            let by_service = service.is_none_or(|wanted| service_values(sku).iter().any(|it| wanted.contains(it)));
            passes[*number as usize] = self.names(sku) && by_service;
        }
        passes
    }

    /// The product and SKU filters hold for a SKU.
    fn names(&self, sku: &SkuHeader) -> bool {
        let named = |filter: Option<&[Option<String>]>, value: &String| {
            filter.is_none_or(|wanted| wanted.iter().flatten().any(|name| same_name(name, value)))
        };
        named(self.products, &sku.product) && named(self.skus, &sku.id)
    }
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
    pub part: GroupKey,
    /// Its restricting services.
    pub restricting: Restricting,
    /// Whether a set of services has one of them, by the set's code.
    pub hits: Vec<bool>,
}

/// The combinations of product, SKU and service among the groups; one without a part of the key when the query does not split
/// by them.
#[derive(Debug, Default)]
pub struct ProductKeys {
    keys: Vec<ProductKey>,
    /// By SKU number: which of `keys` a subscription of it falls into.
    of_sku: Vec<Vec<u32>>,
    /// By service: which of `keys` are restricted to services with it.
    of_service: HashMap<ServiceNumber, Vec<u32>>,
    /// By SKU number: it is free.
    free: Vec<bool>,
}

impl ProductKeys {
    pub fn new(
        group_by: &[DimensionColumn],
        cube: &Cube,
        names: &[String],
        filter: &ProductFilter<'_>,
        layout: &KeyLayout,
    ) -> Self {
        let at = |column| group_by.iter().position(|group| *group == column);
        let compiler = KeyCompiler {
            cube,
            names,
            filter,
            layout,
            product: at(DimensionColumn::Product),
            sku: at(DimensionColumn::Sku),
            service: at(DimensionColumn::Service),
        };
        compiler.compile(group_by)
    }

    /// A combination at a position.
    #[inline]
    pub fn key(&self, position: u32) -> &ProductKey {
        &self.keys[position as usize]
    }

    /// The combinations a subscription of a SKU falls into.
    pub fn of_sku(&self, sku: u32) -> &[u32] {
        self.of_sku.get(sku as usize).map_or(&[], Vec::as_slice)
    }

    /// The combinations restricted to services with this one.
    pub fn of_service(&self, service: ServiceNumber) -> &[u32] {
        self.of_service.get(&service).map_or(&[], Vec::as_slice)
    }

    /// The SKU is free.
    pub fn is_free(&self, sku: u32) -> bool {
        self.free.get(sku as usize).is_some_and(|free| *free)
    }

    /// The position of the combination with this part of the key.
    fn position(
        &mut self,
        part: GroupKey,
        positions: &mut HashMap<GroupKey, u32>,
        compiler: &KeyCompiler<'_, '_>,
    ) -> u32 {
        if let Some(position) = positions.get(&part) {
            return *position;
        }
        let restricting = compiler.restricting(part);
        let sets = compiler.cube.dictionaries.services.values().iter();
        let hits = sets.map(|set| restricting.hits(set)).collect();
        let position = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(ProductKey { part, restricting, hits });
        positions.insert(part, position);
        position
    }
}

/// What product keys are made from.
struct KeyCompiler<'k, 'a> {
    cube: &'k Cube,
    /// Names of products by their code − 1.
    names: &'k [String],
    filter: &'k ProductFilter<'a>,
    layout: &'k KeyLayout,
    // Positions in `group_by`.
    product: Option<usize>,
    sku: Option<usize>,
    service: Option<usize>,
}

impl KeyCompiler<'_, '_> {
    fn compile(&self, group_by: &[DimensionColumn]) -> ProductKeys {
        let partner = &self.cube.partner;
        let size = sku_numbers(partner);
        let mut keys =
            ProductKeys { of_sku: vec![Vec::new(); size], free: vec![false; size], ..ProductKeys::default() };
        let mut positions: HashMap<GroupKey, u32> = HashMap::new();
        for (number, sku) in partner.skus.iter().filter(|(_, sku)| sku.known) {
            keys.free[*number as usize] = sku.free;
            for part in self.parts_of(*number, sku) {
                let position = keys.position(part, &mut positions, self);
                keys.of_sku[*number as usize].push(position);
            }
        }
        if self.service.is_some() && self.product.is_none() && self.sku.is_none() {
            for service in partner.services.keys().filter(|service| self.names_service(**service)) {
                keys.position(self.layout.part(DimensionColumn::Service, *service), &mut positions, self);
            }
        }
        if !group_by.iter().any(|column| column.level() == Level::Product) {
            keys.position(0, &mut positions, self);
        }
        for (key, position) in keys.keys.iter().zip(0..) {
            if let Restricting::Some(services) = &key.restricting {
                for service in services {
                    keys.of_service.entry(*service).or_default().push(position);
                }
            }
        }
        keys
    }

    /// The parts of the key that a subscription of a SKU falls into.
    fn parts_of(&self, number: SkuNumber, sku: &SkuHeader) -> Vec<GroupKey> {
        let base = self.layout.part(DimensionColumn::Product, self.product_code(&sku.product))
            + self.layout.part(DimensionColumn::Sku, number);
        if self.service.is_none() {
            return vec![base];
        }
        let services = service_values(sku).iter().filter(|service| self.names_service(**service));
        services.map(|service| base + self.layout.part(DimensionColumn::Service, *service)).collect()
    }

    /// Filter and group hold on one and the same service.
    fn names_service(&self, service: ServiceNumber) -> bool {
        self.filter.services.as_ref().is_none_or(|wanted| wanted.contains(&service))
    }

    fn product_code(&self, product: &str) -> u32 {
        let position = self.names.binary_search_by(|known| known.as_str().cmp(product));
        position.map_or(0, |position| u32::try_from(position + 1).unwrap_or(u32::MAX))
    }

    /// The restricting services of a group: those of the SKUs that the product and SKU filters and the group name together,
    /// and of those the ones that the service filter and the group name.
    fn restricting(&self, part: GroupKey) -> Restricting {
        let code = |at: Option<usize>| at.map(|at| self.layout.code(part, at));
        let (product, sku, service) = (code(self.product), code(self.sku), code(self.service));
        let by_sku = product.or(sku).is_some() || self.filter.products.is_some() || self.filter.skus.is_some();
        let mut services = if by_sku {
            let named = self.cube.partner.skus.iter().filter(|(number, header)| {
                header.known
                    && self.filter.names(header)
                    && product.is_none_or(|product| self.product_code(&header.product) == product)
                    && sku.is_none_or(|sku| **number == sku)
            });
            Restricting::Some(named.flat_map(|(_, header)| header.services.iter().copied()).collect())
        } else {
            Restricting::All
        };
        let narrowings = [self.filter.services.clone(), service.map(|service| BTreeSet::from([service]))];
        for narrowing in narrowings.into_iter().flatten() {
            let both = narrowing.into_iter().filter(|service| *service != NO_SERVICE && services.contains(*service));
            services = Restricting::Some(both.collect());
        }
        services
    }
}

/// The names of the products, sorted.
pub fn product_names(cube: &Cube) -> Vec<String> {
    let mut products: Vec<String> = cube.partner.skus.values().map(|sku| sku.product.clone()).collect();
    products.sort_unstable();
    products.dedup();
    products
}

/// One more than the greatest number of a SKU.
fn sku_numbers(partner: &PartnerHeader) -> usize {
    partner.skus.keys().next_back().map_or(0, |last| *last as usize + 1)
}
