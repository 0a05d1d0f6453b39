//! Partner Insights in one binary: the services composed into one process, and the command line that talks to them.

pub mod cli;
pub mod client;
pub mod commands;
pub mod failure;
pub mod names;
pub mod output;

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf, process::ExitCode};

use clap::Parser;
use insights_messages::{Language, Sentence};
use insights_product::{Given, Resolved};
use serde_json::Value;

use crate::{
    cli::{Cli, Command, Common},
    client::Caller,
    failure::Failure,
};

/// Runs the command line. Exit code 0: done, 1: failed, 2: called wrongly.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    insights_service::install_crypto();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failure::because("no runtime", &error)),
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure),
    }
}

fn fail(failure: &Failure) -> ExitCode {
    eprintln!("error: {failure}");
    ExitCode::from(failure.code())
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { common, command } = cli;
    let (json, language) = (common.json, language(&common));
    let resolved = resolve(&common, &command)?;
    let settings = &resolved.settings;
    let clock = settings.clock();
    let caller = async || Caller::connect(settings).await.map(|caller| caller.speaking(language));
    match command {
        Command::Demo(demo) => commands::demo::run(&resolved, &clock, &demo, json).await,
        Command::Serve(serve) => commands::serve::run(settings, &clock, &serve).await,
        Command::Migrate(migrate) => commands::migrate::run(settings, &migrate, json).await,
        Command::Backup(backup) => commands::backup::backup(settings, &clock, &backup, json).await,
        Command::Restore(restore) => commands::backup::restore(settings, &clock, &restore, json).await,
        Command::Token(token) => commands::token::run(settings, &clock, token, json),
        Command::Generate(generate) => commands::generate::run(&clock, &generate, json),
        Command::CorrectTimes => commands::correct_times::run(settings, &clock, json).await,
        Command::Config => commands::config::run(&resolved, json),
        Command::Doctor => commands::doctor::run(settings, &clock, language, json).await,
        Command::Import(commands::import::ImportArgs { template: Some(kind), form, .. }) => {
            commands::import::template::run(kind, form)
        }
        Command::Import(import) => commands::import::run(&caller().await?, &clock, &import, language, json).await,
        Command::Query(args) => {
            args.query(None)?;
            commands::query::query(&caller().await?, &args, language, json).await
        }
        Command::Explain(args) => commands::query::explain(&caller().await?, &args, json).await,
        Command::Report(report) => commands::report::run(&caller().await?, &report, language, json).await,
        Command::Glossary(glossary) => commands::glossary::run(&caller().await?, &glossary, language, json).await,
        Command::Audit(wanted) => commands::audit::run(&caller().await?, wanted, language, json).await,
        Command::Erase(args) => commands::erase::run(&caller().await?, &args, language, json).await,
        Command::Export(command) => commands::export::run(&caller().await?, command, language, json).await,
        Command::Verify => commands::verify::run(&caller().await?, json).await,
    }
}

/// The language to speak: the flag's, else that of the environment.
fn language(common: &Common) -> Language {
    let named = |name: &&str| std::env::var(name).ok().filter(|locale| !locale.is_empty());
    if let Some(flag) = &common.language
        && !spoken(flag)
    {
        let known = Language::ALL.map(Language::code).join(", ");
        let said = [("language", flag.as_str()), ("known", known.as_str())];
        eprintln!("{}", Sentence::UnknownLanguage.say(Language::English, &said));
    }
    let locale = || ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(named);
    Language::of_locale(&common.language.clone().or_else(locale).unwrap_or_default())
}

/// Whether the product speaks a language, whatever the region.
fn spoken(tag: &str) -> bool {
    let of = tag.split(['-', '_', '.', '@']).next().unwrap_or_default();
    Language::ALL.iter().any(|language| language.code().eq_ignore_ascii_case(of))
}

/// The settings for a command: its flags over the environment over the file over the defaults.
fn resolve(common: &Common, command: &Command) -> Result<Resolved, Failure> {
    let mut flags: Vec<Given> = Vec::new();
    let mut path = |setting: &'static str, flag: &'static str, value: &Option<PathBuf>| {
        flags.extend(value.as_ref().map(|path| (setting, flag, Value::from(path.display().to_string()))));
    };
    path("data_dir", "data-dir", &common.data_dir);
    path("token_file", "token-file", &common.token_file);
    flags.extend(common.server.as_ref().map(|server| ("server", "server", Value::from(server.as_str()))));
    let (host, port) = match command {
        Command::Serve(serve) => (serve.host.clone(), serve.port),
        Command::Demo(demo) => (None, demo.port),
        _ => (None, None),
    };
    flags.extend(host.map(|host| ("host", "host", Value::from(host))));
    flags.extend(port.map(|port| ("port", "port", Value::from(port))));
    let readable = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    let environment: BTreeMap<String, String> = std::env::vars_os().filter_map(readable).collect();
    let file = common.config.clone().or_else(|| environment.get("INSIGHTS_CONFIG").map(PathBuf::from));
    let resolved = insights_product::resolve(file.as_deref(), &environment, flags)
        .map_err(|faults| Failure::Usage(format!("the settings are not valid:\n{faults}")))?;
    for note in &resolved.notes {
        eprintln!("note: {note}");
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_spoken_whatever_the_region() {
        for (tag, is) in [("pt", true), ("PT-br", true), ("en_GB.UTF-8", true), ("xx", false), ("", false)] {
            assert_eq!(spoken(tag), is, "{tag}");
        }
    }
}
