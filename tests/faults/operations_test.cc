// SPDX-License-Identifier: BSD-2-Clause
// Every public operation that works through objects of the caller's, with each call of these
// objects failing in turn, once and for ever. list_test.py holds the list below against the
// headers.
#include <array>
#include <catch2/catch.hpp>
#include <string_view>
#include <vector>

#include "tests/faults/images.hpp"
#include "tests/faults/objects.hpp"
#include "tests/support/faults.hpp"
#include "tests/support/memory_directory.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/hosted/parallel.hpp"
#include "vmdk/hosted/parallel_read.hpp"
#include "vmdk/verify/open_checked.hpp"
#include "vmdk/verify/repair.hpp"
#include "vmdk/vmdk.hpp"
#include "vmdk/writer/delta.hpp"
#include "vmdk/writer/stream_builder.hpp"

namespace {

using namespace fault_testing;

// ---- Writing. On success the output is held against what was written without a fault. ----

template <class Type, class Memory, class K>
failure write_file(fault& f, K& sink, const write_options& options, const contents& wanted) {
  failing_source source(disk(), f);
  static Memory memory{};
  const auto done = write<Type>(source, sink, options, memory);
  if (!done) return done.error();
  return sink.content() == wanted ? no_failure : wrong_content;
}

failure write_sparse(fault& f) {
  failing_file sink(f);
  return write_file<sparse, workspace<sparse>>(f, sink, {}, sparse_file());
}
failure append_sparse(fault& f) {
  failing_stream sink(f);
  return write_file<sparse, workspace<sparse>>(f, sink, {}, sparse_file());
}
failure write_stream(fault& f) {
  failing_file sink(f);
  return write_file<stream, workspace<stream, stored>>(f, sink, {}, stream_file());
}
failure append_stream(fault& f) {
  failing_stream sink(f);
  return write_file<stream, workspace<stream, stored>>(f, sink, {}, stream_file());
}
failure write_stream_in_front(fault& f) {
  failing_file sink(f);
  return write_file<stream, workspace<stream, stored>>(f, sink, {.table_place = tables::in_front},
                                                       stream_file_in_front());
}

template <class Type>
failure write_set(fault& f) {
  failing_source source(disk(), f);
  memory_directory directory(f);
  static workspace<Type> memory{};
  const auto done = write<Type>(source, directory, write_options{}, memory);
  if (!done) {
    // Nothing has its name, and nobody else need tidy up.
    return directory.pending() == 0 && directory.names().empty() ? done.error() : wrong_content;
  }
  contents back(disk().size());
  const failure why = read_disk(directory, directory.names().back(), back);
  return !why && back == disk() ? no_failure : wrong_content;
}

failure write_child(fault& f) {
  failing_source source(disk(), f);
  failing_source parent(parent_disk(), f);
  failing_file sink(f);
  delta_workspace<sparse> memory{};
  const auto done = write_delta(source, parent, link_to_parent(), sink, write_options{}, memory);
  if (!done) return done.error();
  return sink.content() == child_file() ? no_failure : wrong_content;
}

failure write_empty_child(fault& f) {
  failing_file sink(f);
  delta_workspace<sparse> memory{};
  return write_empty_delta(parent_disk().size(), link_to_parent(), sink, write_options{}, memory)
      .error();
}

failure build_stream(fault& f) {
  failing_stream sink(f);
  const auto layout = stream_layout::for_capacity(disk().size(), {.grain_sectors = 8}).value();
  std::array<std::byte, stream_memory::marked_table_bytes> table{};
  contents directory(static_cast<std::size_t>(layout.directory_memory_bytes()));
  stream_builder builder(sink, layout, {.table = table, .directory = directory});
  contents slot(8192);
  stored encoder;
  failure why = builder.write_head(byte_view(stream_file()).subspan(512, 1024));
  for (const std::uint64_t grain : {0u, 3u}) {
    const auto record = pack_grain(encoder, layout, grain, disk().data() + grain * 4096, slot);
    if (!record) return record.error();
    const failure now = builder.add(*record);
    if (why && now != why) return not_sticky;
    why = now;
  }
  const failure end = builder.finish();
  return why && end != why ? not_sticky : end;
}

failure write_text(fault& f) {
  failing_stream sink(f);
  descriptor_fields fields;
  fields.disk_geometry = geometry_for(fields.controller, 1000);
  const extent_line extent{.sectors = 1000, .name = {"disk.vmdk"}};
  return write_descriptor(fields, std::array{extent}, sink);
}

failure measure(fault& f) {
  failing_source source(disk(), f);
  const auto bytes = file_bytes<stream, stored>(source);
  if (!bytes) return bytes.error();
  return *bytes == stream_file().size() ? no_failure : wrong_content;
}

failure write_on_threads(fault& f) {
  failing_source source(disk(), f);
  failing_stream sink(f);
  const auto done = write_parallel<stream>(source, sink, {}, 2, [] { return stored{}; });
  if (!done) return done.error();
  return sink.content() == stream_file() ? no_failure : wrong_content;
}

// ---- Reading. A reader at random places recovers: what failed once is read the second time. ----

template <class S>
failure read_all_of(S& source, const contents& wanted, const fault& f) {
  contents back(static_cast<std::size_t>(source.size()));
  failure first;
  for (std::size_t at = 0; at < back.size(); at += 3000) {
    const byte_span out =
        byte_span(back).subspan(at, smaller_of<std::size_t>(3000, back.size() - at));
    const failure why = source.read_at(at, out);
    if (!why) continue;
    if (!first) first = why;
    if (f.is_for_ever()) return first;
    if (source.read_at(at, out)) return not_recovered;
  }
  return back == wanted ? first : wrong_content;
}

failure read_sparse(fault& f) {
  failing_source file(sparse_file(), f);
  sparse_reader_memory<> memory;
  auto reader = sparse_reader<failing_source>::open(file, memory);
  if (!reader) return reader.error();
  return read_all_of(*reader, disk(), f);
}

failure open_named(fault& f) {
  failing_files files(f);
  static image_memory<> memory;
  return open(files, "child.vmdk", memory).error();
}

failure open_single(fault& f) {
  failing_source file(stream_file(), f);
  static image_memory<> memory;
  return open(file, memory).error();
}

failure open_after_check(fault& f) {
  failing_files files(f);
  static image_memory<> memory;
  static check_memory<> checking;
  return open_checked(files, "child.vmdk", {memory.extents, memory.links, memory.text},
                      check_spans<>{checking.state, checking.decoder, checking.room})
      .error();
}

/// The disk of an image, through a cursor.
failure read_cursor(fault& f, std::string_view name) {
  failing_files files(f);
  static image_memory<> memory;
  const auto image = open(files, name, memory);
  if (!image) return image.error();
  static cursor_memory<2, 1024, 4096> caches;
  small_inflate decoder;
  auto cursor = image_cursor<failing_files, small_inflate>::make(*image, caches.spans(), decoder);
  if (!cursor) return cursor.error();
  const auto data = cursor->next_data(0);
  const auto again = cursor->next_data(0);
  if (!data) return f.is_for_ever() || again ? data.error() : not_recovered;
  const failure why = read_all_of(*cursor, disk(), f);
  return why;
}
failure read_chain(fault& f) { return read_cursor(f, "child.vmdk"); }
failure read_packed(fault& f) { return read_cursor(f, "stream.vmdk"); }

failure read_front_to_back(fault& f) {
  failing_pipe pipe(stream_file(), f);
  stream_reader<failing_pipe> reader(pipe);
  contents text(1 << 20);
  const auto opened = reader.open(text);
  if (!opened) return reader.next().error() == opened.error() ? opened.error() : not_sticky;
  small_inflate decoder;
  contents input(512);
  contents grain(4096);
  contents back(disk().size());
  for (;;) {
    const auto next = reader.next();
    if (!next) return reader.next().error() == next.error() ? next.error() : not_sticky;
    if (next->data_bytes == 0) break;
    if (failure why = reader.expand(decoder, input, grain)) {
      return reader.next().error() == why ? why : not_sticky;
    }
    copy_bytes(back.data() + next->disk_offset, grain.data(), grain.size());
  }
  return back == disk() ? no_failure : wrong_content;
}

failure unpack(fault& f) {
  failing_pipe pipe(stream_file(), f);
  stream_reader<failing_pipe> reader(pipe);
  if (failure why = reader.open({}).error()) return why;
  failing_disk sink(f);
  small_inflate decoder;
  contents input(512);
  contents grain(4096);
  const auto done = unpack_stream(reader, sink, decoder, unpack_spans{grain, input});
  if (!done) return done.error();
  return sink.content() == disk() ? no_failure : wrong_content;
}

failure read_on_threads(fault& f) {
  failing_source source(disk(), f);
  contents back;
  const failure why = read_parallel(
      source, 0, 4096, [&] { return failing_source(disk(), f); },
      [&](std::uint64_t, byte_view bytes) noexcept {
        back.insert(back.end(), bytes.begin(), bytes.end());
        return f.next();
      });
  if (why) return why;
  return back == disk() ? no_failure : wrong_content;
}

// ---- Judging and mending. ----

failure check_named(fault& f) {
  failing_files files(f);
  static check_memory<> memory;
  const auto done = check(files, "child.vmdk", memory, [](const finding&) {});
  if (!done) return done.error();
  return done->errors == 0 ? no_failure : wrong_content;
}
failure check_single(fault& f) {
  failing_source file(stream_file(), f);
  static check_memory<> memory;
  const auto done = check(file, memory, [](const finding&) {});
  if (!done) return done.error();
  return done->errors == 0 ? no_failure : wrong_content;
}

failure mend(fault& f, const contents& broken, const contents& wanted) {
  failing_storage file(f, broken);
  static repair_memory<> memory;
  const auto done = repair(file, memory, [](const repair_step&) {});
  if (!done) return done.error();
  return file.content() == wanted ? no_failure : wrong_content;
}
failure mend_sparse(fault& f) { return mend(f, sparse_without_a_table(), sparse_file()); }
failure mend_stream(fault& f) { return mend(f, stream_without_end(), stream_file()); }

failure plan_mending(fault& f) {
  failing_source file(sparse_without_a_table(), f);
  static repair_memory<> memory;
  return plan_repair(file, memory, [](const repair_step&) {}).error();
}

// ---- Objects that stand before others. ----

template <class S>
failure read_past(S& source, const contents& wanted, const fault& f) {
  const auto data = next_data_of(source, 0);
  if (!data) return data.error();
  return read_all_of(source, wanted, f);
}

failure read_slice(fault& f) {
  failing_source file(disk(), f);
  slice_source part(file, 4096, 8192);
  return read_past(part, part_of_disk(4096, 8192), f);
}
failure read_padded(fault& f) {
  const contents front = part_of_disk(0, 5000);
  failing_source file(front, f);
  padded_source padded(file, 5120);
  contents wanted = front;
  wanted.resize(5120);
  return read_past(padded, wanted, f);
}
failure read_joined(fault& f) {
  const contents a = part_of_disk(0, 5000);
  const contents b = part_of_disk(5000, disk().size() - 5000);
  failing_source first(a, f);
  failing_source second(b, f);
  concat_source both(first, second);
  return read_past(both, disk(), f);
}
failure read_counted(fault& f) {
  failing_source file(disk(), f);
  counting_source counted(file);
  return read_past(counted, disk(), f);
}
failure read_forward(fault& f) {
  failing_pipe pipe(disk(), f);
  forward_source source(pipe, disk().size());
  contents back(disk().size());
  for (std::size_t at = 0; at < back.size(); at += 1024) {
    const byte_span out =
        byte_span(back).subspan(at, smaller_of<std::size_t>(1024, back.size() - at));
    if (failure why = source.read_at(at, out)) return why;
  }
  if (failure why = source.finish()) return why;
  return back == disk() ? no_failure : wrong_content;
}
failure write_appending(fault& f) {
  failing_file file(f);
  append_only_sink sink(file);
  for (int i = 0; i < 3; ++i) {
    if (failure why = sink.write(byte_view(disk()).first(100))) return why;
  }
  return put_zeros(sink, 5000);
}

struct operation {
  const char* name;  ///< As the headers have it.
  failure (*run)(fault&);
};

constexpr operation operations[] = {
    {"write", write_sparse},
    {"write", append_sparse},
    {"write", write_stream},
    {"write", append_stream},
    {"write", write_stream_in_front},
    {"write", write_set<two_gb_max_extent_sparse<8>>},
    {"write", write_set<monolithic_flat>},
    {"write", write_set<two_gb_max_extent_flat>},
    {"write_delta", write_child},
    {"write_empty_delta", write_empty_child},
    {"stream_builder", build_stream},
    {"write_descriptor", write_text},
    {"file_bytes", measure},
    {"write_parallel", write_on_threads},
    {"sparse_reader", read_sparse},
    {"open", open_named},
    {"open", open_single},
    {"open_checked", open_after_check},
    {"image_cursor", read_chain},
    {"image_cursor", read_packed},
    {"stream_reader", read_front_to_back},
    {"unpack_stream", unpack},
    {"read_parallel", read_on_threads},
    {"check", check_named},
    {"check", check_single},
    {"repair", mend_sparse},
    {"repair", mend_stream},
    {"plan_repair", plan_mending},
    {"slice_source", read_slice},
    {"padded_source", read_padded},
    {"concat_source", read_joined},
    {"counting_source", read_counted},
    {"forward_source", read_forward},
    {"append_only_sink", write_appending},
};

/// Lets each call fail in turn. What comes back is the failure that was put in, whole but for the
/// number of the file; or, of what failed once and was asked again, the right content.
void fails_at_every_call(const operation& what, bool for_ever) {
  INFO(what.name << (for_ever ? ", for ever" : ", once"));
  for (std::uint64_t call = 0; call < 100000; ++call) {
    fault f(call, injected, for_ever);
    failure why = what.run(f);
    if (!f.happened()) {
      REQUIRE(call != 0);
      REQUIRE(why == no_failure);
      return;
    }
    why.index = injected.index;
    const bool recovered = !for_ever && why == no_failure;
    if (why != injected && !recovered) {
      INFO("call " << call << ": " << static_cast<int>(why.code) << " at " << why.offset);
      FAIL();
    }
  }
  FAIL("there is no end of calls");
}

TEST_CASE("every operation tells of every call that fails") {
  for (const operation& what : operations) {
    fails_at_every_call(what, false);
    fails_at_every_call(what, true);
  }
}

}  // namespace
