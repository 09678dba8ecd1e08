use std::collections::BTreeMap;

use crate::spec::{EachSpec, MessageSpec, NotifySpec, NotifyWhenSpec, Problem};

use super::resolver::Resolver;
use super::rows::scalar;
use super::scope::{KnownScope, Prefix, TARGET_COLUMNS};
use super::step::{FieldValue, MessageBody, Notify, NotifyWhen, Step, StepKind};

use super::usage::Use;

/// Stages that every job has, whose names no step can take.
const STAGES: [&str; 3] = ["items", "files", "copy"];

impl Resolver<'_, '_> {
    /// The steps of `then`.
    pub fn steps(&mut self) -> Option<Vec<Step>> {
        let mut first_of: BTreeMap<&str, usize> = BTreeMap::new();
        let steps: Vec<Option<Step>> = (self.job.then.iter().enumerate())
            .map(|(index, step)| {
                let name = step.notify.name.as_deref().unwrap_or("notify");
                let first = *first_of.entry(name).or_insert(index);
                let unique = self.check_step_name(index, first, &step.notify, name);
                let notify = self.notify(&format!("/then/{index}/notify"), &step.notify);
                let kind = StepKind::Notify(notify?);
                unique.then(|| Step {
                    name: name.to_owned(),
                    kind,
                })
            })
            .collect();
        steps.into_iter().collect()
    }

    /// A step's name is what the command line and the plan call it by.
    fn check_step_name(&mut self, index: usize, first: usize, spec: &NotifySpec, name: &str) -> bool {
        let problem = if STAGES.contains(&name) {
            Problem::new(format!("`{name}` is a stage of every job, and no name for a step"))
        } else if first < index {
            Problem::new(format!("two steps of this job are called `{name}`"))
        } else {
            return true;
        };
        let pointer = match spec.name {
            Some(_) => format!("/then/{index}/notify/name"),
            None => format!("/then/{index}/notify"),
        };
        self.findings
            .add(&pointer, problem.help("give each step a `name` of its own"));
        false
    }

    fn notify(&mut self, pointer: &str, spec: &NotifySpec) -> Option<Notify> {
        let EachSpec::File = spec.each;
        let connection = self.connection(&format!("{pointer}/connection"), &spec.connection, Use::Send);
        let target = Prefix::Columns(TARGET_COLUMNS.map(str::to_owned).to_vec());
        let scope = self.file_scope(target);
        let body = self.message(&format!("{pointer}/message"), &spec.message, &scope);
        Some(Notify {
            connection: connection?,
            when: match spec.when {
                None => NotifyWhen::default(),
                Some(NotifyWhenSpec::Written) => NotifyWhen::Written,
                Some(NotifyWhenSpec::Present) => NotifyWhen::Present,
            },
            body: body?,
        })
    }

    fn message(
        &mut self,
        pointer: &str,
        MessageSpec(message): &MessageSpec,
        scope: &KnownScope,
    ) -> Option<MessageBody> {
        let fields = match message {
            serde_json::Value::String(text) => return self.template(pointer, text, scope).map(MessageBody::Text),
            message => message.as_object()?,
        };
        // The map has lost the order in which the fields were written.
        let document = self.findings.document;
        let keys = document.get(pointer)?.entries().iter().map(|entry| &entry.key);
        let read: Vec<Option<(String, FieldValue)>> = keys
            .filter_map(|key| fields.get_key_value(key))
            .map(|(key, value)| {
                let value = match value.as_str() {
                    None => FieldValue::Literal(scalar(value)),
                    Some(text) => {
                        let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                        FieldValue::Template(self.template(&pointer, text, scope)?)
                    }
                };
                Some((key.clone(), value))
            })
            .collect();
        read.into_iter().collect::<Option<_>>().map(MessageBody::Fields)
    }
}
