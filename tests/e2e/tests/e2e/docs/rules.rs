//! What the task editor shows, by the visible rules of `task.json`.

use std::collections::{BTreeMap, BTreeSet};

use causeway_harness::world::workspace;
use serde_json::Value;

/// What a step says: inputs by name.
pub(super) type Given = Vec<(String, String)>;

/// `task.json`, as the editor reads it.
pub(super) struct Task(Value);

impl Task {
    pub(super) fn read() -> Self {
        let text = std::fs::read_to_string(workspace().join("task/task.json")).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    /// The values of input `command`.
    pub(super) fn commands(&self) -> impl Iterator<Item = &str> {
        let command = self.inputs().find(|input| input["name"] == "command").unwrap();
        command["options"].as_object().unwrap().keys().map(String::as_str)
    }

    /// The inputs that the editor hides when the step says `given`.
    pub(super) fn hidden(&self, given: &[(String, String)]) -> Vec<String> {
        let given_already = |name: &str| given.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        let hidden = self.inputs().filter(|input| !self.is_visible(input, given));
        hidden.map(name).filter(|name| !given_already(name)).collect()
    }

    /// The inputs that the editor shows, wants filled in, and does not fill in by itself.
    pub(super) fn required_without_default(&self, given: &[(String, String)]) -> Vec<String> {
        let empty = |input: &&Value| input["defaultValue"].as_str().unwrap_or_default().is_empty();
        let required = self.inputs().filter(|input| input["required"] == true).filter(empty);
        required
            .filter(|input| self.is_visible(input, given))
            .map(name)
            .filter(|name| name != "command")
            .collect()
    }

    /// Every form that the editor can have for a command, by what it shows: what was chosen in it. Only what is shown can be
    /// chosen, and what was chosen stays when it is hidden again.
    pub(super) fn forms(&self, command: &str) -> Vec<Given> {
        let mut found: BTreeMap<(Given, Vec<String>), Given> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![BTreeMap::from([("command".to_owned(), command.to_owned())])];
        while let Some(chosen) = open.pop() {
            let given: Given = chosen.clone().into_iter().collect();
            if !seen.insert(given.clone()) {
                continue;
            }
            let shown = |input: &&Value| self.is_visible(input, &given);
            for input in self.inputs().filter(shown).filter(|input| self.decides(input)) {
                for value in values(input) {
                    let mut next = chosen.clone();
                    next.insert(name(input), value);
                    open.push(next);
                }
            }
            let visible: Given = given.iter().filter(|(name, _)| self.shows(name, &given)).cloned().collect();
            let names = self.inputs().filter(shown).map(name).collect();
            found.entry((visible.clone(), names)).or_insert(visible);
        }
        found.into_values().collect()
    }

    /// The lines of `tests/demanded.json`: when, and what is demanded then; of each list, one.
    pub(super) fn demands() -> Vec<(Given, Vec<Vec<String>>)> {
        let text = std::fs::read_to_string(workspace().join("tests/demanded.json")).unwrap();
        let lines: Vec<Value> = serde_json::from_str(&text).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let when = |line: &Value| {
            line["when"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect()
        };
        let one = |value: &Value| text(value).split(" or ").map(str::to_owned).collect();
        let demands = |line: &Value| line["demands"].as_array().unwrap().iter().map(one).collect();
        lines.iter().map(|line| (when(line), demands(line))).collect()
    }

    /// What is demanded of a step that says `given`.
    pub(super) fn demanded(&self, given: &[(String, String)]) -> Vec<Vec<String>> {
        let applies = |when: &Given| when.iter().all(|(name, value)| self.value(name, given) == *value);
        Self::demands()
            .into_iter()
            .filter(|(when, _)| applies(when))
            .flat_map(|(_, demands)| demands)
            .collect()
    }

    /// Whether the editor shows the input of this name.
    pub(super) fn shows(&self, wanted: &str, given: &[(String, String)]) -> bool {
        self.is_visible(self.inputs().find(|input| name(input) == wanted).unwrap(), given)
    }

    /// Whether a rule asks for the input.
    fn decides(&self, input: &Value) -> bool {
        let all = self.0["groups"].as_array().unwrap().iter().chain(self.inputs());
        let mut rules = all.filter_map(|one| one["visibleRule"].as_str());
        let names = |rule: &str| {
            rule.split(['&', '|'])
                .any(|term| term.split(' ').find(|word| !word.is_empty()) == input["name"].as_str())
        };
        input["name"] != "command" && rules.any(names)
    }

    fn inputs(&self) -> impl Iterator<Item = &Value> {
        self.0["inputs"].as_array().unwrap().iter()
    }

    fn is_visible(&self, input: &Value, given: &[(String, String)]) -> bool {
        let group =
            self.0["groups"].as_array().unwrap().iter().find(|group| group["name"] == input["groupName"]);
        let rules = [group.map_or(&Value::Null, |group| &group["visibleRule"]), &input["visibleRule"]];
        rules.into_iter().filter_map(Value::as_str).all(|rule| self.holds(rule, given))
    }

    /// A rule has `&&` or `||`, not both (tests/node holds task.json to that).
    fn holds(&self, rule: &str, given: &[(String, String)]) -> bool {
        let term = |term: &str| {
            let (name, wanted) = term.split_once('=').unwrap();
            let (name, equal) = name.trim().strip_suffix('!').map_or((name, true), |name| (name, false));
            (self.value(name.trim(), given) == wanted.trim()) == equal
        };
        if rule.contains("||") { rule.split("||").any(term) } else { rule.split("&&").all(term) }
    }

    fn value(&self, wanted: &str, given: &[(String, String)]) -> String {
        let found = given.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let default = || {
            let input = self.inputs().find(|input| name(input) == wanted).unwrap();
            input["defaultValue"].as_str().unwrap_or_default().to_owned()
        };
        found.map_or_else(default, |(_, value)| value.clone())
    }
}

/// What can be chosen for an input.
fn values(input: &Value) -> Vec<String> {
    match input["options"].as_object() {
        Some(options) => options.keys().cloned().collect(),
        None => vec!["true".to_owned(), "false".to_owned()],
    }
}

fn name(input: &Value) -> String {
    input["name"].as_str().unwrap().to_owned()
}
