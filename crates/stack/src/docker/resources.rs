//! What containers need around them, made as a plan says: image, network, volumes, credentials.

use futures_util::future::join_all;

use ordersys_engine::volumes::Credentials;
use ordersys_engine::{EngineError, image, network, volumes};

use crate::docker::stack::DockerStack;
use crate::model::project::{ADMIN_FILE, DATABASE_FILE, SERVICE_FILE};
use crate::model::spec::ServiceSpec;
use crate::plan::{Action, Plan, Resource, Step};
use crate::up::apply::Work;
use crate::up::error::UpError;

impl DockerStack {
    pub(crate) async fn load_image(&self, work: &Work<'_>) -> Result<(), UpError> {
        let image = Resource::Image(self.image.tag.clone());
        let wanted = |step: &Step| step.resource == image && !matches!(step.action, Action::Keep(_));
        if !work.plan.steps.iter().any(wanted) {
            return Ok(());
        }
        tokio::select! { // a load that is broken off leaves nothing behind
            loaded = image::load(&self.engine, &self.image, &self.program.path) => Ok(loaded?),
            halted = work.halt.stopped() => Err(halted.into()),
        }
    }

    /// Makes volumes and network; returns the network's id.
    pub(crate) async fn make_around(&self, plan: &Plan) -> Result<String, EngineError> {
        let missing = plan.steps.iter().filter_map(|step| match (&step.resource, &step.action) {
            (Resource::Volume(name), Action::Create(_)) => Some(name),
            _ => None,
        });
        let volumes =
            join_all(missing.map(|name| volumes::create(&self.engine, &self.names, &self.run, name)));
        let (volumes, network) = tokio::join!(volumes, self.network(plan));
        volumes.into_iter().collect::<Result<(), EngineError>>()?;
        network
    }

    async fn network(&self, plan: &Plan) -> Result<String, EngineError> {
        let kept = plan.steps.iter().find_map(|step| match (&step.resource, &step.action) {
            (Resource::Network(_), Action::Keep(id)) => Some(id.clone()),
            _ => None,
        });
        match kept {
            Some(id) => Ok(id),
            None => network::create(&self.engine, &self.names, &self.run).await,
        }
    }

    pub(crate) async fn fill_secrets(&self, work: &Work<'_>) -> Result<(), EngineError> {
        let made = |spec: &ServiceSpec| {
            matches!(work.plan.for_service(spec.name), Some(Action::Create(_) | Action::Recreate(..)))
        };
        if !work.stack.services.iter().any(made) {
            return Ok(());
        }
        let dir = self.project.secrets_dir();
        let mut files = vec![SERVICE_FILE, ADMIN_FILE];
        files.extend(self.project.database_password().map(|_| DATABASE_FILE));
        let credentials = Credentials { dir: &dir, files: &files };
        let fill = async || {
            volumes::fill_secrets(&self.engine, &self.names, &self.run, &self.image, credentials).await
        };
        let filled = image::with_image(&self.engine, &self.image, &self.program.path, fill);
        work.timeline.during("credentials", filled).await
    }
}
