//! How services of this process reach the others: in memory when they run here, else over the network.

use std::sync::Arc;

use insights_access::{Issuer, Outgoing, ServiceTokens};
use insights_service::{Chassis, Clock, NamedRoutes, ServiceChannel};

use crate::{Service, StartError, settings::Settings};

/// What links are made from.
pub(crate) struct Links<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) clock: &'a Clock,
    /// The local development issuer, where it is the one believed.
    pub(crate) issuer: Option<Arc<Issuer>>,
    pub(crate) chassis: &'a Chassis,
}

impl Links<'_> {
    /// A link to a service: to its routes when it runs here, else to the URLs of a setting.
    pub(crate) fn link(
        &self,
        own: Option<NamedRoutes>,
        setting: &str,
        urls: &str,
    ) -> Result<ServiceChannel, StartError> {
        if let Some(routes) = own {
            return Ok(self.chassis.in_process(vec![routes]).into());
        }
        if urls.is_empty() {
            return Err(StartError::Setting(format!(
                "{setting} must say where the service is, for it does not run in this process"
            )));
        }
        ServiceChannel::open(urls, &self.settings.links)
            .map_err(|error| StartError::Setting(format!("{setting}: {error}")))
    }

    /// The tokens that a service shows to others.
    pub(crate) fn outgoing(&self, service: Service) -> Result<Outgoing, StartError> {
        let (file, name) = (&self.settings.service_token_file, service.name());
        let tokens = match &self.issuer {
            _ if !file.as_os_str().is_empty() => ServiceTokens::file(file),
            Some(issuer) => ServiceTokens::local(Arc::clone(issuer), name, self.clock.clone()),
            None => {
                return Err(StartError::Setting(format!(
                    "service_token_file must name the file with the token of {name}"
                )));
            }
        };
        Ok(Outgoing::new(tokens))
    }
}
