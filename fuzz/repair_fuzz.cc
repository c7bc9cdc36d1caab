// SPDX-License-Identifier: BSD-2-Clause
// A damaged sparse file or stream is repaired: as planned, once and for all, whatever the memory,
// also in two goes, and no grain is lost that could be read and has its place for itself. Input: a
// bundle of one file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "bundle.hpp"
#include "checked.hpp"
#include "demand.hpp"
#include "readable_grains.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/verify/repair.hpp"

namespace {

using namespace vmdk;
using fuzzing::demand;
using fuzzing::generator;
using fuzzing::readable_grains;
using bytes = std::vector<std::byte>;

/// A file that is read and written inside its bounds, grows by little, and may fail for good.
class storage {
 public:
  explicit storage(byte_view content, std::uint64_t failing_change = ~std::uint64_t{0})
      : content_(content.begin(), content.end()),
        most_bytes_(content.size() + (std::size_t{1} << 20)),
        changes_left_(failing_change) {}

  std::uint64_t size() const noexcept { return content_.size(); }
  failure read_at(std::uint64_t offset, byte_span out) noexcept {
    demand(fits_inside(offset, out.size(), size()), "only what a file has is read");
    copy_bytes(out.data(), content_.data() + offset, out.size());
    return no_failure;
  }
  failure write(byte_view more) noexcept { return write_at(size(), more); }
  failure write_at(std::uint64_t offset, byte_view more) noexcept {
    demand(offset <= size(), "a file is written where it is, or at its end");
    if (failure f = resize(larger_of<std::uint64_t>(size(), offset + more.size()))) return f;
    copy_bytes(content_.data() + offset, more.data(), more.size());
    return no_failure;
  }
  failure resize(std::uint64_t size_bytes) noexcept {
    demand(size_bytes <= most_bytes_, "a repair makes a file larger by its tables alone");
    if (changes_left_ == 0) return sink_failure(errc::write_failed, size_bytes);
    --changes_left_;
    content_.resize(static_cast<std::size_t>(size_bytes));
    return no_failure;
  }
  failure flush() noexcept {
    return changes_left_ == 0 ? sink_failure(errc::write_failed, 0) : no_failure;
  }
  const bytes& content() const { return content_; }

 private:
  bytes content_;
  std::size_t most_bytes_;
  std::uint64_t changes_left_;
};
static_assert(Storage<storage>);

/// What repairing a file came to.
struct outcome {
  failure why;
  repair_summary summary{};

  void operator()(const repair_step& step) noexcept {
    std::size_t characters = 0;
    describe(step, [&characters](std::string_view piece) { characters += piece.size(); });
    demand(characters != 0 && id_of(step.kind) != "unknown", "a step has a sentence and a word");
  }
};

outcome repair_in(storage& file, std::size_t room_bytes, bool writes = true) {
  static const auto decoder = std::make_unique<vmdk::inflate>();
  bytes room(room_bytes);
  const repair_spans<> memory{*decoder, room};
  outcome seen;
  const auto done = writes ? repair(file, memory, seen) : plan_repair(file, memory, seen);
  seen.why = done.error();
  seen.summary = done.value_or({});
  return seen;
}

void demand_kept(const readable_grains& before, const bytes& content, const char* promise) {
  const readable_grains after(content);
  if (before.grains.empty()) return;
  demand(after.size_bytes == before.size_bytes, "a disk that could be read keeps its size");
  demand(before.are_kept_in(after), promise);
}

bool is_sound(const bytes& content) {
  memory_source file(content);
  single_file<memory_source> files(file);
  return !fuzzing::check_with_room(files, file_id{}, std::size_t{1} << 16).has_error();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t much_room = std::size_t{1} << 16;
  const auto input = std::as_bytes(std::span(data, size));
  const fuzzing::bundle bundle(input);
  const bytes& damaged = bundle.files().front().bytes;
  generator random(input);
  const readable_grains before(damaged);

  storage unchanged(damaged, 0);
  const outcome planned = repair_in(unchanged, much_room, false);
  storage file(damaged);
  const outcome done = repair_in(file, much_room);
  demand(planned.why == done.why, "what can be planned can be done");
  demand((planned.summary.changes == 0) == (done.summary.changes == 0) &&
             planned.summary.changes <= done.summary.changes,
         "a repair does what was planned");
  if (done.why) {
    demand(file.content() == damaged, "a repair that cannot be changes nothing");
    return 0;
  }
  demand(done.summary.changes != 0 || file.content() == damaged, "changes are told");
  demand_kept(before, file.content(), "a grain that could be read is kept");
  demand(!is_sound(damaged) || is_sound(file.content()), "a sound file stays sound");

  const bytes repaired = file.content();
  const outcome again = repair_in(file, much_room);
  demand(!again.why && again.summary.changes == 0 && file.content() == repaired,
         "a second repair changes nothing");

  storage other(damaged);
  const outcome little = repair_in(other, repair_least_bytes);
  if (little.why.code != errc::workspace_too_small) {
    demand(little.why == done.why, "less room is no reason");
    demand_kept(before, other.content(), "a grain is kept with little room");
  }

  if (done.summary.changes == 0) return 0;
  storage cut(damaged, random.below(3 * static_cast<std::size_t>(
                                            smaller_of<std::uint64_t>(done.summary.changes, 50)) +
                                    1));
  (void)repair_in(cut, much_room);
  demand_kept(before, cut.content(), "a repair that stopped has lost no grain");
  storage next(cut.content());
  const outcome second = repair_in(next, much_room);
  demand(!second.why, "a repair that stopped can go on");
  demand_kept(before, next.content(), "a repair in two goes loses no grain");
  return 0;
}
