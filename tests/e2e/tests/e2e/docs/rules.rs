//! What the task editor shows, by the visible rules of `task.json`.

use causeway_harness::world::workspace;
use serde_json::Value;

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

fn name(input: &Value) -> String {
    input["name"].as_str().unwrap().to_owned()
}
