//! A query made ready for the columns.

use std::collections::HashSet;

use insights_domain::calendar::Month;
use insights_domain::facts::Seller;
use insights_domain::rollup::history_floor;
use insights_domain::standing::Standing;

use crate::cube::compile::attribute_groups::{AttributeGroups, AttributeRules};
use crate::cube::compile::attribution_keys::AttributionKeys;
use crate::cube::compile::codes::{GroupLimit, PlacedChunk, PlacedChunks};
use crate::cube::compile::dimensions::{DimensionColumn, Level};
use crate::cube::compile::keys::{GroupKey, KeyLayout};
use crate::cube::compile::predicate::Predicate;
use crate::cube::compile::product_keys::{ProductKeys, product_names};
use crate::cube::data::chunk::CustomerChunk;
use crate::cube::data::cube::{Cube, Visibility};
use crate::query::{Query, Scope};

/// A query made ready for the columns of one cube: every filter, group and switch is a table over codes. It never changes, but
/// that it can be limited to some of its groups.
pub struct CompiledQuery<'a> {
    query: &'a Query,
    cube: &'a Cube,
    view: Visibility<'a>,
    chunks: PlacedChunks<'a>,
    range: MonthRange,
    grouping: Grouping,
    layout: KeyLayout,
    predicate: Predicate<'a>,
    products: ProductKeys,
    attributions: AttributionKeys,
    attribute_groups: AttributeGroups,
    limit: Option<GroupLimit>,
}

/// The months a query is about.
#[derive(Clone, Copy, Debug)]
pub struct MonthRange {
    /// The first and last month that give rows; none do when they are not in order.
    pub first: Month,
    pub last: Month,
    /// The earliest month of history.
    pub floor: Month,
}

/// What groups a query splits its answer into, and what that asks of a scan.
#[derive(Clone, Debug)]
pub struct Grouping {
    /// In the order of `group_by`.
    pub columns: Vec<DimensionColumn>,
    /// Names of products by their code − 1.
    product_names: Vec<String>,
    /// A subscription-level dimension is filtered on, grouped by or scoped.
    pub by_subscription: bool,
    /// Groups differ within a customer.
    pub splits_customers: bool,
    /// Groups differ by a subscription-level dimension.
    pub splits_subscriptions: bool,
    /// Standing or trial is filtered on or grouped by.
    pub by_state: bool,
    /// Keys differ by what customers or subscriptions have of their own, not only by what many subscriptions share.
    pub by_own: bool,
}

impl Grouping {
    fn of(query: &Query, cube: &Cube, view: Visibility<'_>) -> Self {
        let columns: Vec<DimensionColumn> = query.group_by.iter().map(|dimension| (*dimension).into()).collect();
        let grouped = |wanted: fn(DimensionColumn) -> bool| columns.iter().any(|column| wanted(*column));
        let filtered =
            |wanted: fn(DimensionColumn) -> bool| query.filters.iter().any(|filter| wanted(filter.dimension.into()));
        let of_subscriptions = |column: DimensionColumn| column.level() == Level::Subscription;
        let splits_subscriptions = grouped(of_subscriptions);
        Self {
            by_subscription: splits_subscriptions
                || filtered(of_subscriptions)
                || query.scope != Scope::AllSellers
                || view.locations.is_some(),
            splits_customers: splits_subscriptions || grouped(|column| column.level() == Level::Product),
            splits_subscriptions,
            by_state: grouped(DimensionColumn::is_state) || filtered(DimensionColumn::is_state),
            by_own: grouped(DimensionColumn::is_own),
            product_names: product_names(cube),
            columns,
        }
    }

    /// No group is in two chunks.
    pub fn is_within_chunks(&self) -> bool {
        self.columns.iter().any(|column| column.is_within_customers())
    }

    /// Where a column stands in `group_by`.
    fn position(&self, column: DimensionColumn) -> Option<usize> {
        self.columns.iter().position(|group| *group == column)
    }
}

impl<'a> CompiledQuery<'a> {
    pub fn new(query: &'a Query, cube: &'a Cube, view: Visibility<'a>) -> Self {
        let last = cube.partner.last_month();
        let floor = history_floor(last);
        let chunks = PlacedChunks::of(cube);
        let grouping = Grouping::of(query, cube, view);
        let layout = KeyLayout::new(&grouping.columns, |column| code_count(column, cube, &chunks, &grouping));
        let predicate = Predicate::new(query, cube, view);
        let names = &grouping.product_names;
        let products = ProductKeys::new(&grouping.columns, cube, names, predicate.products(), &layout);
        let attributions = AttributionKeys::new(&cube.dictionaries, predicate.attributions(), &layout);
        let rules = AttributeRules {
            predicate: &predicate,
            products: &products,
            attributions: &attributions,
            layout: &layout,
            splits_customers: grouping.splits_customers,
            switches: query.switches,
        };
        let attribute_groups = AttributeGroups::new(cube.dictionaries.attributes.values(), &rules);
        let range = MonthRange { first: query.from.max(floor), last: query.to.min(last), floor };
        Self {
            query,
            cube,
            view,
            chunks,
            range,
            grouping,
            layout,
            predicate,
            products,
            attributions,
            attribute_groups,
            limit: None,
        }
    }

    /// The query, limited to some of its groups.
    #[must_use]
    pub fn limited_to(self, keys: HashSet<GroupKey>) -> Self {
        let customer = self.grouping.position(DimensionColumn::Customer);
        let subscription = self.grouping.position(DimensionColumn::Subscription);
        let code = |key: &GroupKey, at| self.layout.code(*key, at);
        let customers = match (customer, subscription) {
            (Some(at), _) => Some(keys.iter().map(|key| code(key, at)).collect()),
            (None, Some(at)) => Some(keys.iter().filter_map(|key| self.chunks.owner_of(code(key, at))).collect()),
            (None, None) => None,
        };
        Self { limit: Some(GroupLimit::new(keys, customers)), ..self }
    }

    pub const fn query(&self) -> &'a Query {
        self.query
    }

    pub const fn cube(&self) -> &'a Cube {
        self.cube
    }

    pub const fn view(&self) -> Visibility<'a> {
        self.view
    }

    pub const fn chunks(&self) -> &PlacedChunks<'a> {
        &self.chunks
    }

    pub const fn range(&self) -> MonthRange {
        self.range
    }

    pub const fn grouping(&self) -> &Grouping {
        &self.grouping
    }

    pub const fn layout(&self) -> &KeyLayout {
        &self.layout
    }

    pub const fn predicate(&self) -> &Predicate<'a> {
        &self.predicate
    }

    pub const fn products(&self) -> &ProductKeys {
        &self.products
    }

    pub const fn attributions(&self) -> &AttributionKeys {
        &self.attributions
    }

    pub const fn attribute_groups(&self) -> &AttributeGroups {
        &self.attribute_groups
    }

    /// It is limited to some of its groups.
    pub const fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// The query is about this group.
    #[inline]
    pub fn wants(&self, key: GroupKey) -> bool {
        self.limit.as_ref().is_none_or(|limit| limit.has(key))
    }

    /// The positions of a chunk's customers that may be in one of the groups it is limited to; none: any.
    pub fn customers_of(&self, placed: &PlacedChunk<'_>) -> Option<impl Iterator<Item = usize>> {
        self.limit.as_ref()?.customers_of(placed)
    }

    /// The months that give rows.
    pub fn months(&self) -> impl Iterator<Item = Month> + use<> {
        (self.range.first.index()..=self.range.last.index()).filter_map(Month::from_index)
    }

    /// Every customer passes, and groups do not tell customers apart.
    pub fn takes_every_customer(&self) -> bool {
        !self.grouping.by_own && self.predicate.takes_every_customer()
    }

    /// Every subscription of a chunk that keeps its attributes passes, and all of a customer's are in one group.
    pub fn takes_all_of(&self, chunk: &CustomerChunk) -> bool {
        let passes = |code: &u16| !self.attribute_groups.group(*code).partial_keys.is_empty();
        !self.grouping.splits_customers
            && !self.predicate.names_subscriptions()
            && chunk.pre_aggregates.attributes.iter().all(passes)
    }

    /// The values of a key, in the order of `group_by`.
    pub fn values_of(&self, key: GroupKey) -> Vec<Option<String>> {
        let columns = self.grouping.columns.iter().enumerate();
        columns.map(|(at, column)| self.value_of(*column, self.layout.code(key, at))).collect()
    }

    /// The value a code of a column stands for; `None` is the missing one.
    fn value_of(&self, column: DimensionColumn, code: u32) -> Option<String> {
        let partner = &self.cube.partner;
        match column {
            DimensionColumn::Unspecified => None,
            DimensionColumn::CustomerText(_)
            | DimensionColumn::SubscriptionText(_)
            | DimensionColumn::Location
            | DimensionColumn::AttributionType => self.cube.dictionaries.texts.value(code).clone(),
            DimensionColumn::Customer => self.chunks.customer_at(code).map(|header| header.id.clone()),
            DimensionColumn::Subscription => self.chunks.subscription_at(code),
            DimensionColumn::Product => self.grouping.product_names.get((code as usize).checked_sub(1)?).cloned(),
            DimensionColumn::Sku => partner.skus.get(&code).map(|sku| sku.id.clone()),
            DimensionColumn::Service => partner.services.get(&code).cloned(),
            DimensionColumn::Seller => Some(Seller::from_code(code.checked_sub(1)?)?.name().to_owned()),
            DimensionColumn::Trial => Some((code == 2).to_string()),
            DimensionColumn::Standing => {
                let code = u8::try_from(code.checked_sub(1)?).ok()?;
                Some(Standing::from_code(code).name().to_owned())
            }
        }
    }
}

/// How many codes the values of a column have, with the one that stands for none.
fn code_count(column: DimensionColumn, cube: &Cube, chunks: &PlacedChunks<'_>, grouping: &Grouping) -> usize {
    let numbers = |last: Option<&u32>| last.map_or(1, |last| *last as usize + 1);
    match column {
        DimensionColumn::Unspecified => 1,
        DimensionColumn::CustomerText(_)
        | DimensionColumn::SubscriptionText(_)
        | DimensionColumn::Location
        | DimensionColumn::AttributionType => cube.dictionaries.texts.values().len(),
        DimensionColumn::Customer => chunks.customer_codes(),
        DimensionColumn::Subscription => chunks.subscription_codes(),
        DimensionColumn::Product => grouping.product_names.len() + 1,
        DimensionColumn::Sku => numbers(cube.partner.skus.keys().next_back()),
        DimensionColumn::Service => numbers(cube.partner.services.keys().next_back()),
        DimensionColumn::Seller => Seller::ALL.len() + 1,
        DimensionColumn::Trial => 3,
        DimensionColumn::Standing => Standing::ALL.len() + 1,
    }
}
