// SPDX-License-Identifier: BSD-2-Clause
#include "arguments.hpp"

#include <CLI/CLI.hpp>
#include <string_view>

#include "codecs.hpp"
#include "error.hpp"
#include "help.hpp"
#include "text.hpp"
#include "vmdk/core/arithmetic.hpp"
#include "vmdk/core/version.hpp"
#include "vmdk/format/text.hpp"

namespace vmdk::cli {
namespace {

using word = std::optional<std::string>;

/// The arguments as they stand, before anything is read out of them.
struct raw_arguments {
  std::string source;
  std::string other;
  word format;
  word other_format;
  word type;
  word grain;
  word level;
  word threads;
  word codec;
  word size;
  word capacity;
  word stored;
  word parent;
  word keep;
  std::vector<std::string> settings;
  std::vector<std::string> allowed_folders;
  bool force = false;
  bool verbose = false;
  bool json = false;
  bool dry_run = false;
};

::CLI::Option* add_repeatable(::CLI::App& command, const char* name,
                              std::vector<std::string>& values) {
  return command.add_option(name, values)->expected(1)->allow_extra_args(false)->take_all();
}

/// What is wrong with the name of a file or folder, if anything: an empty one leads nowhere, and a
/// message about it would name nothing.
std::string problem_of_name(const std::string& name) {
  return name.empty() ? "the name is empty" : "";
}

template <class Name>
::CLI::Option* add_name(::CLI::App& command, const char* option, Name& name) {
  return command.add_option(option, name)->check(problem_of_name);
}

void add_folders(::CLI::App& command, const char* option, std::vector<std::string>& names) {
  add_repeatable(command, option, names)->check(problem_of_name);
}

void declare_convert(::CLI::App& command, raw_arguments& raw) {
  command.add_option("-f", raw.format);
  command.add_option("-t", raw.type);
  command.add_option("-g", raw.grain);
  command.add_option("-l", raw.level);
  command.add_option("-j", raw.threads);
  command.add_option("--codec", raw.codec);
  command.add_option("--size", raw.size);
  add_name(command, "--parent", raw.parent);
  add_repeatable(command, "-o", raw.settings);
  add_folders(command, "--allow-dir", raw.allowed_folders);
  command.add_flag("--force", raw.force);
  command.add_flag("-v,--verbose", raw.verbose);
  add_name(command, "SRC", raw.source)->required();
  add_name(command, "DST", raw.other)->required();
}

void declare_info(::CLI::App& command, raw_arguments& raw) {
  add_folders(command, "--allow-dir", raw.allowed_folders);
  command.add_flag("--json", raw.json);
  add_name(command, "FILE", raw.source)->required();
}

void declare_layout(::CLI::App& command, raw_arguments& raw) {
  command.add_option("-t", raw.type)->required();
  command.add_option("--capacity", raw.capacity)->required();
  command.add_option("-g", raw.grain);
  command.add_option("--stored", raw.stored);
  add_repeatable(command, "-o", raw.settings);
  command.add_flag("--json", raw.json);
}

void declare_compare(::CLI::App& command, raw_arguments& raw) {
  command.add_option("-f", raw.format);
  command.add_option("-F", raw.other_format);
  add_folders(command, "--allow-dir", raw.allowed_folders);
  add_name(command, "FIRST", raw.source)->required();
  add_name(command, "SECOND", raw.other)->required();
}

void declare_check(::CLI::App& command, raw_arguments& raw) {
  add_folders(command, "--allow-dir", raw.allowed_folders);
  command.add_option("--codec", raw.codec);
  command.add_flag("--json", raw.json);
  add_name(command, "FILE", raw.source)->required();
}

void declare_repair(::CLI::App& command, raw_arguments& raw) {
  command.add_flag("--dry-run", raw.dry_run);
  add_name(command, "--keep", raw.keep);
  command.add_option("--codec", raw.codec);
  command.add_flag("--json", raw.json);
  add_name(command, "FILE", raw.source)->required();
}

void declare_map(::CLI::App& command, raw_arguments& raw) {
  add_folders(command, "--allow-dir", raw.allowed_folders);
  command.add_flag("--json", raw.json);
  add_name(command, "FILE", raw.source)->required();
}

void declare_create(::CLI::App& command, raw_arguments& raw) {
  command.add_option("-t", raw.type);
  command.add_option("--size", raw.size);
  add_name(command, "--parent", raw.parent);
  command.add_option("-g", raw.grain);
  add_repeatable(command, "-o", raw.settings);
  add_folders(command, "--allow-dir", raw.allowed_folders);
  command.add_flag("--force", raw.force);
  command.add_flag("-v,--verbose", raw.verbose);
  add_name(command, "FILE", raw.other)->required();
}

std::optional<disk_format> read_format(const char* option, const word& text) {
  if (!text) return std::nullopt;
  if (*text == "raw") return disk_format::raw;
  if (*text == "vmdk") return disk_format::vmdk;
  throw error(option + (' ' + *text), "is no format of a source; there are raw and vmdk");
}

std::optional<std::uint64_t> read_size_option(const char* option, const word& text) {
  if (!text) return std::nullopt;
  std::uint64_t bytes = 0;
  if (read_size(*text, bytes)) return bytes;
  throw error(option + (' ' + *text),
              "is no size; give bytes, or a number with K, M, G, T or P behind it");
}

std::optional<std::uint64_t> read_grain(const word& text) {
  constexpr std::uint64_t smallest = std::uint64_t{4} << 10;
  constexpr std::uint64_t largest = std::uint64_t{1} << 20;
  if (!text) return std::nullopt;
  std::uint64_t bytes = 0;
  if (read_size(*text, bytes) && is_power_of_two(bytes) && bytes >= smallest && bytes <= largest) {
    return bytes;
  }
  throw error("-g " + *text, "is no grain size; give a power of two from 4K to 1M");
}

std::optional<unsigned> read_number(const char* option, const word& text, unsigned least,
                                    unsigned most) {
  if (!text) return std::nullopt;
  std::uint64_t number = 0;
  if (vmdk::detail::read_decimal(*text, number) && number >= least && number <= most) {
    return static_cast<unsigned>(number);
  }
  throw error(option + (' ' + *text),
              "is not a number from " + std::to_string(least) + " to " + std::to_string(most));
}

arguments read_convert(const raw_arguments& raw) {
  convert_arguments read;
  read.source.path = raw.source;
  read.source.format = read_format("-f", raw.format);
  read.source.may_be_pipe = true;
  read.source.size_bytes = read_size_option("--size", raw.size);
  read.source.allowed_folders = raw.allowed_folders;
  read.destination = raw.other;
  read.type = raw.type;
  read.grain_bytes = read_grain(raw.grain);
  read.settings = raw.settings;
  read.level = read_number("-l", raw.level, 0, 12);
  read.threads = read_number("-j", raw.threads, 1, 256);
  read.codec = raw.codec;
  read.parent = raw.parent;
  read.force = raw.force;
  read.verbose = raw.verbose;
  return read;
}

arguments read_info(const raw_arguments& raw) {
  info_arguments read;
  read.source.path = raw.source;
  read.source.allowed_folders = raw.allowed_folders;
  read.json = raw.json;
  return read;
}

arguments read_layout(const raw_arguments& raw) {
  layout_arguments read;
  read.type = raw.type.value_or("");
  read.capacity_bytes = read_size_option("--capacity", raw.capacity).value_or(0);
  read.grain_bytes = read_grain(raw.grain);
  read.stored_grains = read_size_option("--stored", raw.stored);
  read.settings = raw.settings;
  read.json = raw.json;
  return read;
}

arguments read_compare(const raw_arguments& raw) {
  compare_arguments read;
  read.first.path = raw.source;
  read.first.format = read_format("-f", raw.format);
  read.first.allowed_folders = raw.allowed_folders;
  read.second.path = raw.other;
  read.second.format = read_format("-F", raw.other_format);
  read.second.allowed_folders = raw.allowed_folders;
  return read;
}

arguments read_check(const raw_arguments& raw) {
  check_arguments read;
  read.source.path = raw.source;
  read.source.allowed_folders = raw.allowed_folders;
  read.source.decoder = find_codec(raw.codec);
  read.json = raw.json;
  return read;
}

arguments read_repair(const raw_arguments& raw) {
  if (raw.source == "-") throw error("-", "a repair needs a file that can be written in place");
  repair_arguments read;
  read.source.path = raw.source;
  read.source.decoder = find_codec(raw.codec);
  read.keep = raw.keep;
  read.dry_run = raw.dry_run;
  read.json = raw.json;
  return read;
}

arguments read_map(const raw_arguments& raw) {
  map_arguments read;
  read.source.path = raw.source;
  read.source.allowed_folders = raw.allowed_folders;
  read.json = raw.json;
  return read;
}

arguments read_create(const raw_arguments& raw) {
  create_arguments read;
  read.size_bytes = read_size_option("--size", raw.size);
  read.image.parent = raw.parent;
  read.image.source.allowed_folders = raw.allowed_folders;
  read.image.destination = raw.other;
  read.image.type = raw.type;
  read.image.grain_bytes = read_grain(raw.grain);
  read.image.settings = raw.settings;
  read.image.force = raw.force;
  read.image.verbose = raw.verbose;
  return read;
}

struct command {
  const char* name;
  void (*declare)(::CLI::App&, raw_arguments&);
  arguments (*read)(const raw_arguments&);
};
constexpr command commands[] = {
    {"convert", declare_convert, read_convert}, {"info", declare_info, read_info},
    {"layout", declare_layout, read_layout},    {"compare", declare_compare, read_compare},
    {"check", declare_check, read_check},       {"map", declare_map, read_map},
    {"create", declare_create, read_create},    {"repair", declare_repair, read_repair},
};

/// The command that the user gave, for a hint.
std::string command_words(const ::CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "vmdk" : "vmdk " + chosen.front()->get_name();
}

/// Turns what the parser has to say into one sentence of ours.
[[noreturn]] void refuse(const ::CLI::App& app, const ::CLI::ParseError& problem) {
  const std::string see = "; see " + command_words(app) + " --help";
  const std::string what = problem.what();
  const std::string culprit = what.substr(0, what.find_first_of(": "));
  const auto kind = static_cast<::CLI::ExitCodes>(problem.get_exit_code());
  if (kind == ::CLI::ExitCodes::ExtrasError) {
    // "...not expected: ARGUMENTS" is all that the parser keeps of them.
    const std::size_t colon = what.find(": ");
    const std::string left = colon == std::string::npos ? what : what.substr(colon + 2);
    const std::string first = left.substr(0, left.find(' '));
    if (first.size() > 1 && first.front() == '-')
      throw error(first, "there is no such option" + see);
    if (app.get_subcommands().empty()) throw error(first, "there is no such command" + see);
    throw error(first, "is one argument too many" + see);
  }
  if (kind == ::CLI::ExitCodes::RequiredError) {
    if (app.get_subcommands().empty()) throw error("", "a command is missing" + see);
    throw error("", culprit + " is missing" + see);
  }
  if (kind == ::CLI::ExitCodes::ArgumentMismatch) throw error(culprit, "takes one value" + see);
  throw error("", what + see);
}

}  // namespace

arguments read_arguments(int argc, char** argv) {
  raw_arguments raw;
  ::CLI::App app;
  bool wants_version = false;
  app.add_flag("--version", wants_version);
  for (const command& each : commands) each.declare(*app.add_subcommand(each.name), raw);
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const ::CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    const std::string_view text = chosen.empty() ? help_text : help_for(chosen.front()->get_name());
    return print_arguments{std::string(text)};
  } catch (const ::CLI::ParseError& problem) {
    refuse(app, problem);
  }
  if (wants_version) return print_arguments{"vmdk " + std::string(library_version) + "\n"};
  const auto chosen = app.get_subcommands();
  if (chosen.empty()) throw error("", "a command is missing; see vmdk --help");
  for (const command& each : commands) {
    if (chosen.front()->get_name() == each.name) return each.read(raw);
  }
  throw error(chosen.front()->get_name(), "there is no such command; see vmdk --help");
}

}  // namespace vmdk::cli
