// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/verify/repair.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs.hpp"
#include "commands.hpp"
#include "copy_disk.hpp"
#include "error.hpp"
#include "image_disk.hpp"
#include "signals.hpp"
#include "text.hpp"
#include "vmdk/format/descriptor_parser.hpp"
#include "vmdk/hosted/file_source.hpp"
#include "vmdk/hosted/file_storage.hpp"
#include "vmdk/hosted/os_names.hpp"
#include "vmdk/hosted/output_file.hpp"
#include "vmdk/verify/check.hpp"

namespace vmdk::cli {
namespace {

using nlohmann::ordered_json;

/// Enough for the largest grain and for the directory of a large stream.
constexpr std::size_t room_bytes = std::size_t{9} << 20;
/// Lines of one kind that are printed; the others are counted.
constexpr std::uint64_t most_lines = 100;

/// A file that is to be repaired: the image itself, or an extent of it.
struct part {
  file_id file;
  std::string path;
  std::string name;
};

/// The steps of one part.
struct outcome {
  std::vector<repair_step> steps;
  repair_summary summary{};
};

/// The sparse extents that a text descriptor names, in its own folder.
std::vector<part> parts_of_text(image_files& files, file_id descriptor, const std::string& path) {
  const std::string name = files.name(descriptor.value);
  std::vector<char> text(
      static_cast<std::size_t>(std::min<std::uint64_t>(files.size(descriptor), 8u << 20)));
  if (failure why = files.read_at(descriptor, 0, std::as_writable_bytes(std::span(text)))) {
    fail(name, why);
  }
  const auto view = parse_descriptor({text.data(), text.size()}, descriptor_place::text_file,
                                     strictness::tolerant);
  if (!view) fail(name, view.error());
  std::vector<part> parts;
  for (const extent_line& line : view->extents()) {
    if (line.type != extent_type::sparse) continue;
    vmdk::detail::kept_name kept;
    kept.set(line.name.stem, view->encoding());
    const std::string extent(kept.view());
    const auto file = files.open(extent);
    if (!file) throw error(name, "names \"" + extent + "\": " + opening_text(file.error()));
    const auto is_same = [&](const part& other) { return other.file == *file; };
    if (std::any_of(parts.begin(), parts.end(), is_same)) continue;
    parts.push_back({*file, folder_of(path) + '/' + extent, extent});
  }
  if (parts.empty()) throw error(name, "has no sparse extents; there is nothing to repair");
  return parts;
}

std::vector<part> find_parts(image_files& files, const input& from) {
  const file_id file = open_image_file(files, from);
  const auto contents = identify_file(files, file);
  if (!contents && contents.error().code != errc::magic_invalid) {
    fail(files.name(file.value), contents.error());
  }
  // A file whose beginning is lost may have a footer.
  switch (contents.value_or(file_contents::sparse)) {
    case file_contents::text:
      return parts_of_text(files, file, from.path);
    case file_contents::cowd:
    case file_contents::sesparse:
      throw error(files.name(file.value),
                  "is of a type whose metadata has no copy to repair it by");
    case file_contents::sparse:
      break;
  }
  return {{file, from.path, files.name(file.value)}};
}

[[noreturn]] void refuse(const std::string& name, const failure& why) {
  if (why.from != origin::image) fail(name, why);
  throw error(name, "cannot be repaired: " + failure_text(why));
}

/// Finds out what a repair would do; with a Storage, does it.
template <class S>
outcome repair_part(S& file, const part& which, codec decoder_kind, bool writes) {
  any_decoder decoder(decoder_kind);
  std::vector<std::byte> room(room_bytes);
  const repair_spans<any_decoder> memory{decoder, room};
  outcome done;
  const auto take = [&done](const repair_step& step) { done.steps.push_back(step); };
  result<repair_summary> summary = repair_summary{};
  if constexpr (Storage<S>) {
    summary = writes ? repair(file, memory, take) : plan_repair(file, memory, take);
  } else {
    summary = plan_repair(file, memory, take);
  }
  if (!summary) refuse(which.name, summary.error());
  done.summary = *summary;
  return done;
}

/// Copies a file before it is changed.
void keep_original(const std::string& path, const std::string& name, const std::string& copy) {
  auto source = file_source::open(path);
  if (!source) fail_opening(name, source.error());
  if (is_same_file(path, copy)) throw error(copy, "is the image itself");
  std::optional<signals_held> held;
  held.emplace();
  auto output = output_file::open(copy);
  if (!output) {
    const bool is_there = output.error().code == errc::already_exists;
    throw error(copy,
                is_there ? "exists already; it is not replaced" : opening_text(output.error()));
  }
  remove_when_stopped(output->temporary_path());
  held.reset();
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  const failure why =
      output->with_sink([&](auto& sink) noexcept { return copy_disk(*source, sink, buffer); });
  if (why) fail(why.from == origin::sink ? copy : name, why);
  if (failure f = output->commit()) fail(copy, f);
}

std::string sentence_of(const repair_step& step) {
  std::string text;
  describe(step, [&text](std::string_view piece) { text += piece; });
  return text;
}

ordered_json as_json(const repair_step& step, const std::string& file) {
  const auto figure = [](std::uint64_t value) {
    return value == no_figure ? ordered_json(nullptr) : ordered_json(value);
  };
  return {{"id", id_of(step.kind)},      {"file", file},
          {"offset", step.offset},       {"table", figure(step.table)},
          {"entry", figure(step.entry)}, {"before", figure(step.before)},
          {"after", figure(step.after)}, {"left", is_left(step.kind)},
          {"text", sentence_of(step)}};
}

std::string as_lines(const outcome& done, const std::string& name) {
  std::string lines;
  std::map<repair_kind, std::uint64_t> counts;
  for (const repair_step& step : done.steps) {
    if (++counts[step.kind] > most_lines) continue;
    lines += printable(name) + ": " + sentence_of(step) + ' ' + place_text(step.offset) + " [" +
             std::string(id_of(step.kind)) + "]\n";
  }
  for (const auto& [kind, count] : counts) {
    if (count <= most_lines) continue;
    lines += printable(name) + ": " + std::to_string(count - most_lines) + " more like this [" +
             std::string(id_of(kind)) + "]\n";
  }
  return lines;
}

/// Whether the image is sound now.
bool is_sound(const input& from) {
  image_files files;
  const file_id file = open_image_file(files, from);
  any_decoder decoder(from.decoder);
  const auto state = std::make_unique<vmdk::check_state>();
  std::vector<std::byte> room(room_bytes);
  const auto summary =
      check(files, file, check_spans<any_decoder>{*state, decoder, room}, [](const finding&) {});
  if (!summary) fail(files.name(summary.error().index), summary.error());
  return summary->is_sound();
}

std::string summary_line(const repair_arguments& told, const repair_summary& sum, bool sound) {
  if (sum.changes == 0 && sum.left == 0) {
    return sound ? "nothing to repair\n"
                 : "nothing that can be repaired; vmdk check says what is wrong\n";
  }
  std::string line = told.dry_run ? "would make " : "made ";
  line += counted(sum.changes, "change") + ", " + std::to_string(sum.dropped_entries) +
          " dropped, " + std::to_string(sum.left) + " left";
  if (!told.dry_run) line += sound ? "; sound" : "; still damaged, see vmdk check";
  return line + '\n';
}

}  // namespace

int run_repair(const repair_arguments& told) {
  image_files files;
  const std::vector<part> parts = find_parts(files, told.source);
  if (told.keep && parts.size() != 1) {
    throw error("--keep", "is for images of one file; this one has " +
                              std::to_string(parts.size()) + ", copy them before");
  }
  // All parts are looked at before the first is changed.
  std::vector<outcome> outcomes;
  for (const part& each : parts) {
    file_view<image_files> file(files, each.file);
    outcomes.push_back(repair_part(file, each, told.source.decoder, false));
  }
  const auto changes = [](const outcome& each) { return each.summary.changes != 0; };
  bool is_kept = false;
  if (!told.dry_run && std::any_of(outcomes.begin(), outcomes.end(), changes)) {
    if (told.keep) keep_original(parts.front().path, parts.front().name, *told.keep);
    is_kept = told.keep.has_value();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (outcomes[i].summary.changes == 0) continue;
      auto file = file_storage::open(parts[i].path);
      if (!file) fail_opening(parts[i].name, file.error());
      outcomes[i] = repair_part(*file, parts[i], told.source.decoder, true);
    }
  }

  repair_summary sum;
  std::string lines;
  ordered_json steps = ordered_json::array();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const repair_summary& each = outcomes[i].summary;
    sum.changes += each.changes;
    sum.dropped_entries += each.dropped_entries;
    sum.left += each.left;
    if (!told.json) lines += as_lines(outcomes[i], parts[i].name);
    if (!told.json) continue;
    for (const repair_step& step : outcomes[i].steps) steps.push_back(as_json(step, parts[i].name));
  }
  // What a trial would make of the image is not known; what it is now is.
  const bool sound = is_sound(told.source);
  const std::string name = name_of_input(told.source.path);
  if (told.json) {
    ordered_json report;
    report["file"] = name;
    report["dry_run"] = told.dry_run;
    report["changes"] = sum.changes;
    report["dropped_entries"] = sum.dropped_entries;
    report["left"] = sum.left;
    report["kept"] = is_kept;
    report["sound"] = sound;
    report["steps"] = steps;
    print(report.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n');
  } else {
    print(lines + printable(name) + ": " + summary_line(told, sum, sound));
  }
  const bool is_good = told.dry_run ? sum.left == 0 && (sound || sum.changes != 0) : sound;
  return is_good ? status_done : status_negative;
}

}  // namespace vmdk::cli
