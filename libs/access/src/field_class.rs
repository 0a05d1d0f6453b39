//! Classes of fields and the roles that see them, read from the options in the `.proto` files.

use std::{collections::BTreeMap, sync::LazyLock};

use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, Value};

pub use insights_proto::access::v1::FieldClass;

use crate::{Role, RoleSet};

static VISIBLE_TO: LazyLock<BTreeMap<i32, RoleSet>> =
    LazyLock::new(|| read(insights_proto::descriptors()).unwrap_or_default());

/// Every class that hides fields from some roles.
pub fn field_classes() -> impl Iterator<Item = FieldClass> {
    VISIBLE_TO.keys().filter_map(|number| FieldClass::try_from(*number).ok())
}

/// The roles that see a class. A class without the option is seen by none.
pub(crate) fn visible_to(class: FieldClass) -> RoleSet {
    VISIBLE_TO.get(&(class as i32)).copied().unwrap_or_default()
}

fn read(pool: &DescriptorPool) -> Option<BTreeMap<i32, RoleSet>> {
    let option = pool.get_extension_by_name("insights.access.v1.visible_to")?;
    let classes = pool.get_enum_by_name("insights.access.v1.FieldClass")?;
    let values = classes.values().filter(|value| value.number() != 0);
    Some(values.map(|value| (value.number(), roles(&value.options().get_extension(&option)))).collect())
}

/// The roles of a list of enum values.
pub(crate) fn roles(list: &Value) -> RoleSet {
    let numbers = list.as_list().unwrap_or_default().iter().filter_map(Value::as_enum_number);
    numbers.filter_map(|role| Role::try_from(role).ok()).collect()
}

/// The class that an option of a field or enum value names.
pub(crate) fn class_of(options: &DynamicMessage, option: &ExtensionDescriptor) -> FieldClass {
    let number = options.get_extension(option).as_enum_number();
    number.and_then(|class| FieldClass::try_from(class).ok()).unwrap_or(FieldClass::Unspecified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executive_and_the_global_admin_alone_see_revenue_and_personal_data() {
        let classes: Vec<_> = field_classes().collect();
        assert_eq!(classes, [FieldClass::Revenue, FieldClass::Personal]);
        let all = (1..).map_while(|number| Role::try_from(number).ok());
        for role in all {
            let sees = matches!(role, Role::GlobalAdmin | Role::ExecutiveReportViewer);
            let held = RoleSet::EMPTY.with(role);
            assert!(classes.iter().all(|class| held.can_see(*class) == sees), "{role:?}");
            assert!(held.can_see(FieldClass::Unspecified));
        }
    }
}
