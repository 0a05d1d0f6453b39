//! What methods, measures and fields demand, read from the options in the `.proto` files.

use std::collections::HashMap;

use insights_proto::metrics::v1::Measure;
use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, MethodDescriptor, ServiceDescriptor, Value};
use tonic::Status;

use crate::{
    FieldClass, RoleSet, Viewer,
    denial::forbidden,
    field_class::{self, class_of},
};

/// The service whose groups of measures rule people's queries, wherever they are answered.
pub const REPORTING_SERVICE: &str = "insights.reporting.v1.ReportingService";

const GROUPS: usize = 8;
/// Of `google.protobuf.MethodOptions.IdempotencyLevel`.
const NO_SIDE_EFFECTS: i32 = 1;
const IDEMPOTENT: i32 = 2;

/// The access table.
#[derive(Debug, Default)]
pub struct Policy {
    methods: HashMap<String, Method>,
    /// Service → roles per group of measures.
    groups: HashMap<String, [RoleSet; GROUPS]>,
    /// Measure → its group and class.
    measures: HashMap<i32, (usize, FieldClass)>,
}

/// A method of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// What it demands of its caller.
    pub demand: Demand,
    /// Whether a caller who is bound to locations is refused.
    pub whole_partner: bool,
    /// Whether request or response is a stream.
    pub streaming: bool,
    /// Whether the request is a stream.
    pub client_streaming: bool,
    /// Whether it changes nothing (`NO_SIDE_EFFECTS`).
    pub read_only: bool,
    /// Whether it may be repeated (`NO_SIDE_EFFECTS` or `IDEMPOTENT`).
    pub idempotent: bool,
}

/// What a method demands of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// It has no policy, so no caller may call it.
    Nobody,
    /// One of the roles.
    Roles(RoleSet),
    /// A role of some group of measures; the handler asks [`Policy::authorise_measures`].
    ByMeasure(RoleSet),
    /// A service's token.
    Services,
}

/// Why the options cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The descriptor set is damaged.
    #[error("the descriptor set cannot be read")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// The descriptor set lacks an option.
    #[error("the descriptor set lacks {0}")]
    Missing(&'static str),
}

/// Which measures a caller gets absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redaction {
    hidden: Vec<Measure>,
}

impl Redaction {
    /// Whether the measure is to be left absent.
    #[must_use]
    pub fn hides(&self, measure: Measure) -> bool {
        self.hidden.contains(&measure)
    }

    /// Whether anything is: the answer's `redacted`.
    #[must_use]
    pub fn redacted(&self) -> bool {
        !self.hidden.is_empty()
    }
}

impl Policy {
    /// The policy of this product's API.
    pub fn product() -> Result<Self, PolicyError> {
        Self::read(insights_proto::DESCRIPTOR_SET)
    }

    /// Reads the options of an encoded `FileDescriptorSet` that contains `insights.access.v1`.
    pub fn read(descriptor_set: &[u8]) -> Result<Self, PolicyError> {
        let pool = DescriptorPool::decode(descriptor_set)?;
        let option = |name: &'static str| pool.get_extension_by_name(name).ok_or(PolicyError::Missing(name));
        let on_method = option("insights.access.v1.policy")?;
        let on_service = option("insights.access.v1.group_policy")?;
        let (group, class) = (option("insights.access.v1.measure_group")?, option("insights.access.v1.value_class")?);
        let mut policy = Self::default();
        for service in pool.services() {
            let groups = groups(&service, &on_service);
            let anybody = groups.iter().copied().fold(RoleSet::EMPTY, RoleSet::union);
            for method in service.methods() {
                let demand = demand(&method, &on_method, anybody);
                let client_streaming = method.is_client_streaming();
                let streaming = client_streaming || method.is_server_streaming();
                let level =
                    method.options().get_field_by_name("idempotency_level").and_then(|level| level.as_enum_number());
                let read_only = level == Some(NO_SIDE_EFFECTS);
                let idempotent = read_only || level == Some(IDEMPOTENT);
                let path = format!("/{}/{}", service.full_name(), method.name());
                let whole_partner = whole_partner(&method, &on_method);
                let known = Method { demand, whole_partner, streaming, client_streaming, read_only, idempotent };
                policy.methods.insert(path, known);
            }
            policy.groups.insert(service.full_name().to_owned(), groups);
        }
        for value in pool
            .get_enum_by_name("insights.metrics.v1.Measure")
            .iter()
            .flat_map(|measures| measures.values().collect::<Vec<_>>())
        {
            let options = value.options();
            let group =
                number(&options, &group).and_then(|group| usize::try_from(group).ok()).filter(|group| *group < GROUPS);
            policy.measures.insert(value.number(), (group.unwrap_or_default(), class_of(&options, &class)));
        }
        Ok(policy)
    }

    /// The method at `/package.Service/Method`, exactly.
    #[must_use]
    pub fn method(&self, path: &str) -> Option<&Method> {
        self.methods.get(path)
    }

    /// Every method by its path.
    pub fn methods(&self) -> impl Iterator<Item = (&str, &Method)> {
        self.methods.iter().map(|(path, method)| (path.as_str(), method))
    }

    /// Whether the viewer may call the method at `/package.Service/Method`, as the layer would judge a direct call. Methods for
    /// services and methods by measure are refused.
    #[must_use]
    pub fn may_call(&self, viewer: &Viewer, path: &str) -> bool {
        self.method(path).is_some_and(|method| {
            let held = matches!(method.demand, Demand::Roles(roles) if roles.intersects(viewer.roles()));
            held && !(method.whole_partner && viewer.locations().is_some())
        })
    }

    /// Whether the viewer may ask `service` for the measures: one refused measure refuses all. Says which of the allowed
    /// ones are to be left absent. MEASURE_UNSPECIFIED shows nothing and is left to validation.
    pub fn authorise_measures(
        &self,
        viewer: &Viewer,
        service: &str,
        measures: &[Measure],
    ) -> Result<Redaction, Status> {
        let held = viewer.roles();
        let groups = self.groups.get(service).ok_or_else(forbidden)?;
        // A query without measures is refused too, unless a role allows some measure.
        if !groups.iter().any(|roles| roles.intersects(held)) {
            return Err(forbidden());
        }
        let mut redaction = Redaction::default();
        for measure in measures.iter().copied().filter(|measure| *measure != Measure::Unspecified) {
            let (group, class) = self.measures.get(&(measure as i32)).copied().unwrap_or_default();
            if !groups.get(group).is_some_and(|roles| roles.intersects(held)) {
                return Err(forbidden());
            }
            if !held.can_see(class) {
                redaction.hidden.push(measure);
            }
        }
        Ok(redaction)
    }
}

fn demand(method: &MethodDescriptor, option: &ExtensionDescriptor, anybody: RoleSet) -> Demand {
    let options = method.options();
    if !options.has_extension(option) {
        return Demand::Nobody;
    }
    let policy = options.get_extension(option);
    let Some(policy) = policy.as_message() else { return Demand::Nobody };
    match policy.get_field_by_name("audience").and_then(|audience| audience.as_enum_number()) {
        Some(1) => Demand::Roles(roles(policy)),
        Some(2) => Demand::ByMeasure(anybody),
        Some(3) => Demand::Services,
        _ => Demand::Nobody,
    }
}

fn whole_partner(method: &MethodDescriptor, option: &ExtensionDescriptor) -> bool {
    let options = method.options();
    let policy = options.get_extension(option);
    let field = policy.as_message().and_then(|policy| policy.get_field_by_name("whole_partner"));
    field.and_then(|field| field.as_bool()).unwrap_or_default()
}

fn roles(message: &DynamicMessage) -> RoleSet {
    message.get_field_by_name("roles").map(|list| field_class::roles(&list)).unwrap_or_default()
}

fn groups(service: &ServiceDescriptor, option: &ExtensionDescriptor) -> [RoleSet; GROUPS] {
    let mut groups = [RoleSet::EMPTY; GROUPS];
    let options = service.options();
    let entries = options.get_extension(option);
    for entry in entries.as_list().unwrap_or_default().iter().filter_map(Value::as_message) {
        let group = entry.get_field_by_name("measure_group").and_then(|group| group.as_enum_number());
        // Group 0 is no group: what it holds stays empty, so that a measure without a group is refused.
        if let Some(slot) = group.filter(|group| *group > 0).and_then(|group| groups.get_mut(group as usize)) {
            *slot = slot.union(roles(entry));
        }
    }
    groups
}

fn number(options: &DynamicMessage, option: &ExtensionDescriptor) -> Option<i32> {
    options.get_extension(option).as_enum_number()
}
