//! Carries a plan out in an engine: makes, sets aside, starts, and at the end removes or takes back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use futures_util::future::{join_all, try_join_all};

use ordersys_engine::container as containers;
use ordersys_engine::container::Making;
use ordersys_engine::image::ImageName;
use ordersys_engine::labels::{Names, RunId};
use ordersys_engine::observe::{condition_of, port_owner};
use ordersys_engine::undo::{Journal, Undo};
use ordersys_engine::{Engine, EngineError, image, network, undo, volumes};

use crate::docker::member::{Begin, Member, Replaced};
use crate::docker::{observe, owner, spec};
use crate::model::observed::{Condition, Observed, ObservedService, Standing};
use crate::model::program::Program;
use crate::model::project::Project;
use crate::model::spec::{ServiceName, ServiceSpec, StackSpec};
use crate::plan::{Action, Cause, DockerNames, Plan, Resource};
use crate::up::apply::{Look, Work};
use crate::up::error::UpError;

/// A project's stack in an engine, during one run.
#[derive(Debug)]
pub(crate) struct DockerStack {
    pub(crate) engine: Engine,
    pub(crate) project: Project,
    pub(crate) program: Program,
    pub(crate) names: Names,
    pub(crate) image: ImageName,
    pub(crate) run: RunId,
    journal: Journal,
    members: Mutex<BTreeMap<ServiceName, Member>>,
}

impl DockerStack {
    pub(crate) fn new(engine: Engine, project: Project, program: Program) -> Self {
        let names = Names::of(&project.name).made_from(owner::of(&project));
        let image = ImageName::of(&program.sha256);
        Self {
            engine,
            project,
            program,
            names,
            image,
            run: RunId::new(),
            journal: Journal::default(),
            members: Mutex::default(),
        }
    }

    /// What the services run.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// The hash a running service's program is compared by.
    pub(crate) fn artefact(&self) -> &str {
        &self.image.hash
    }

    /// What the services need around them.
    pub(crate) fn names(&self, stack: &StackSpec) -> DockerNames {
        DockerNames {
            image: self.image.tag.clone(),
            network: self.names.network(),
            volumes: spec::volumes(&self.names, stack),
        }
    }

    /// What is there.
    pub(crate) async fn observe(&self) -> Result<Observed, EngineError> {
        owner::check_owner(&self.engine, &self.project).await?;
        let (image_present, networks, volumes, services) = tokio::try_join!(
            image::is_present(&self.engine, &self.image),
            network::list(&self.engine, &self.names),
            volumes::list(&self.engine, &self.names),
            observe::services(&self.engine, &self.names),
        )?;
        Ok(Observed { image_present, networks, volumes, services, program: None })
    }

    /// Fails if its volumes may be those of another state directory.
    pub(crate) async fn check_volumes(&self) -> Result<(), EngineError> {
        owner::check_volumes(&self.engine, &self.project).await
    }

    /// Adds the memory of each running container.
    pub(crate) async fn add_memory(&self, observed: &mut Observed) {
        observe::add_memory(&self.engine, &mut observed.services).await;
    }

    /// The container that publishes a port, in words.
    pub(crate) async fn port_owner(&self, port: u16) -> Option<String> {
        port_owner(&self.engine, port).await
    }

    /// Makes everything the plan asks for; starts nothing. What has to go is stopped and kept until
    /// [`Self::commit`]. Each call to the engine is waited for, also after another has failed, so that
    /// nothing appears after the roll-back.
    pub(crate) async fn prepare(&self, work: &Work<'_>) -> Result<(), UpError> {
        if work.plan.changes_nothing() {
            self.adopt(work);
            return Ok(());
        }
        let load = work.timeline.during("image", self.load_image(work));
        let around = work.timeline.during("network, volumes", self.make_around(work.plan));
        let (loaded, network, stopped) = tokio::join!(load, around, self.stop_leftovers(work));
        loaded?;
        stopped?;
        let network = network?;
        work.halt.check()?;
        let members = join_all(work.stack.services.iter().map(|spec| self.make_member(spec, work, &network)));
        let (filled, members) = tokio::join!(self.fill_secrets(work), members);
        filled?;
        members.into_iter().collect::<Result<(), EngineError>>()?;
        Ok(work.halt.check()?)
    }

    /// Starts a service, stopping first what it replaces.
    pub(crate) async fn start(&self, service: ServiceName) -> Result<(), EngineError> {
        let Some(member) = self.member(service) else { return Ok(()) };
        let name = self.names.container(service.name());
        match member.begin {
            Begin::Runs => return Ok(()),
            Begin::Unpause => return containers::unpause(&self.engine, &member.id).await,
            Begin::Start => {}
            Begin::Replace(old) => self.stop_noted(&old.id, &name, &old.condition).await?,
        }
        self.journal.note(Undo::Stop { id: member.id.clone() });
        containers::start(&self.engine, &member.id, &name).await
    }

    /// How a service is doing; `None` when its container is gone.
    pub(crate) async fn look(&self, service: ServiceName) -> Result<Option<Look>, EngineError> {
        let Some(member) = self.member(service) else { return Ok(None) };
        let found = condition_of(&self.engine, &member.id).await?;
        Ok(found.map(|(condition, restarts)| Look { condition: condition.into(), restarts }))
    }

    /// The last lines a service logged; none if they cannot be had.
    pub(crate) async fn last_log_lines(&self, service: ServiceName, lines: usize) -> Vec<String> {
        let Some(member) = self.member(service) else { return Vec::new() };
        containers::last_log_lines(&self.engine, &member.id, lines).await
    }

    /// Removes what was replaced or is not wanted, now that the new serves. Returns the images that went
    /// with it: those of replaced containers that no container uses any more, and no other.
    pub(crate) async fn commit(&self, plan: &Plan) -> Result<Vec<String>, EngineError> {
        let replaced = self.members().into_values().filter_map(|member| match member.begin {
            Begin::Replace(old) => Some(old.id),
            Begin::Runs | Begin::Start | Begin::Unpause => None,
        });
        let leftovers = plan.steps.iter().filter_map(|step| match (&step.resource, &step.action) {
            (Resource::Leftover(_), Action::Remove(id, _)) => Some(id.clone()),
            _ => None,
        });
        let gone: Vec<String> = replaced.chain(leftovers).collect();
        try_join_all(gone.iter().map(|id| containers::remove(&self.engine, id))).await?;
        let mut replaced_images = BTreeSet::new();
        for step in &plan.steps {
            match (&step.resource, &step.action) {
                (Resource::Network(_), Action::Remove(id, _)) => network::remove(&self.engine, id).await?,
                (_, Action::Recreate(_, Cause::ImageChanged(old, _))) => {
                    replaced_images.insert(ImageName::tag_of(old));
                }
                _ => {}
            }
        }
        image::remove_unused(&self.engine, replaced_images).await
    }

    /// Takes back what this run did.
    pub(crate) async fn roll_back(&self) -> Result<(), EngineError> {
        undo::roll_back(&self.engine, &self.names, &self.run, &self.journal).await
    }

    async fn stop_leftovers(&self, work: &Work<'_>) -> Result<(), EngineError> {
        let unwanted = work.plan.steps.iter().filter_map(|step| match (&step.resource, &step.action) {
            (Resource::Leftover(name), Action::Remove(id, _)) => Some((name, id)),
            _ => None,
        });
        let stops = unwanted.map(|(name, id)| async move {
            let condition = work.observed.services.iter().find(|service| service.id == *id);
            match condition.map(|service| &service.condition) {
                Some(condition) => self.stop_noted(id, name, condition).await,
                None => Ok(()),
            }
        });
        join_all(stops).await.into_iter().collect()
    }

    /// Stops a container that runs, so that a roll-back starts it again.
    async fn stop_noted(&self, id: &str, name: &str, condition: &Condition) -> Result<(), EngineError> {
        match condition {
            Condition::Created | Condition::Exited(_) | Condition::Dead => return Ok(()),
            Condition::Paused => containers::unpause(&self.engine, id).await?, // else it cannot drain
            Condition::Running | Condition::Cut | Condition::Unwatched | Condition::Restarting(_) => {}
        }
        self.journal.note(Undo::Start { id: id.to_owned(), name: name.to_owned() });
        containers::stop(&self.engine, id).await
    }

    /// Takes the containers that stay as they are for the members.
    fn adopt(&self, work: &Work<'_>) {
        for spec in &work.stack.services {
            if let Some(Action::Keep(id)) = work.plan.for_service(spec.name) {
                self.join(spec.name, Member { id: id.clone(), begin: Begin::Runs });
            }
        }
    }

    async fn make_member(
        &self,
        spec: &ServiceSpec,
        work: &Work<'_>,
        network: &str,
    ) -> Result<(), EngineError> {
        let Some(action) = work.plan.for_service(spec.name) else { return Ok(()) };
        let make = async {
            let member = match action {
                Action::Keep(id) => Member { id: id.clone(), begin: Begin::Runs },
                Action::Start(id, Cause::Paused) => Member { id: id.clone(), begin: Begin::Unpause },
                Action::Start(id, _) => Member { id: id.clone(), begin: Begin::Start },
                Action::Create(_) => Member { id: self.create(spec, network).await?, begin: Begin::Start },
                Action::Recreate(id, _) | Action::Remove(id, _) => {
                    let old = work.observed.services.iter().find(|service| service.id == *id);
                    let begin = match old {
                        Some(old) => Begin::Replace(self.set_aside(spec.name, old).await?),
                        None => Begin::Start,
                    };
                    Member { id: self.create(spec, network).await?, begin }
                }
            };
            self.join(spec.name, member);
            Ok(())
        };
        match action {
            Action::Keep(_) => make.await,
            _ => work.timeline.during(format!("create {}", spec.name), make).await,
        }
    }

    async fn create(&self, spec: &ServiceSpec, network: &str) -> Result<String, EngineError> {
        let wanted = spec::container(&self.names, spec);
        let create = async || {
            let making = Making { names: &self.names, run: &self.run, image: &self.image, network };
            containers::create(&self.engine, making, &wanted).await
        };
        image::with_image(&self.engine, &self.image, &self.program.path, create).await
    }

    /// Frees a service's container name. The old container goes on until its successor starts.
    async fn set_aside(&self, service: ServiceName, old: &ObservedService) -> Result<Replaced, EngineError> {
        if old.standing == Standing::Current {
            let (name, aside) =
                (self.names.container(service.name()), self.names.set_aside(service.name(), &self.run));
            self.journal.note(Undo::Rename { id: old.id.clone(), name: name.clone() });
            if containers::rename(&self.engine, &old.id, &aside).await.is_err() {
                // One that keeps ending is off the network between two starts, and cannot be renamed then.
                self.stop_noted(&old.id, &name, &old.condition).await?;
                containers::rename(&self.engine, &old.id, &aside).await?;
            }
        }
        Ok(Replaced { id: old.id.clone(), condition: old.condition.clone() })
    }

    fn join(&self, service: ServiceName, member: Member) {
        self.members.lock().unwrap_or_else(PoisonError::into_inner).insert(service, member);
    }

    fn members(&self) -> BTreeMap<ServiceName, Member> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn member(&self, service: ServiceName) -> Option<Member> {
        self.members().remove(&service)
    }
}
