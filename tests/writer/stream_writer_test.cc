// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/writer/stream.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tests/writer/stream_testing.hpp"
#include "vmdk/codec/deflate.hpp"
#include "vmdk/codec/stored.hpp"
#include "vmdk/io/concat.hpp"
#include "vmdk/io/counting.hpp"
#include "vmdk/io/forward.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/io/zero.hpp"

namespace stream_writer_test {
namespace {

using namespace stream_testing;
using namespace vmdk::literals;

TEST_CASE("a stream is what the format says") {
  for (const contents& disk : disks()) {
    for (const std::uint32_t grain : {8u, 128u, 2048u}) {
      if (grain != 8 && disk.size() > 1000000) continue;  // It is there for its tables.
      for (const tables place : {tables::at_end, tables::in_front}) {
        for (const capacity_rule rule : {capacity_rule::whole_grains, capacity_rule::exact}) {
          const asked how{.grain = grain, .options{.capacity = rule, .table_place = place}};
          CAPTURE(disk.size(), grain, place == tables::at_end, rule == capacity_rule::exact);
          for (const bool compressed : {false, true}) {
            const written image = compressed
                                      ? write_disk<small_deflate>(disk, how, small_deflate(3))
                                      : write_disk(disk, how);
            const stream_facts facts = facts_of(image.file, place);
            CHECK(holds(facts, disk));
            CHECK(facts.stored_grains == image.report.stored_grains);
            CHECK(facts.capacity_sectors * 512 == image.report.capacity_bytes);
            CHECK(image.report.source_bytes == disk.size());
            const std::uint64_t unit = rule == capacity_rule::exact ? 512 : grain * 512;
            CHECK(image.report.capacity_bytes == (disk.size() + unit - 1) / unit * unit);
          }
        }
      }
    }
  }
}

TEST_CASE("a stream without data is all metadata") {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{512}, std::size_t{1} << 20}) {
    zero_source source(bytes);
    const written image = write_file(source, {});
    CHECK(image.report.stored_grains == 0);
    CHECK(image.file.size() == (128 + 2 + 3) * 512);
    CHECK(facts_of(image.file).stored_tables == 0);
    CHECK(holds(facts_of(image.file), contents(bytes)));
  }
}

TEST_CASE("tables are stored only where a grain is") {
  const contents disk = sparse_bytes();
  const stream_facts facts = facts_of(write_disk(disk, {.grain = 8}).file);
  CHECK(facts.stored_tables == 2);
  CHECK(facts.grain_sectors == 8);
}

TEST_CASE("a stream's bytes do not depend on the sink") {
  for (const contents& disk : disks()) {
    for (const std::uint32_t grain : {8u, 128u}) {
      if (grain != 8 && disk.size() > 1000000) continue;
      const asked how{.grain = grain};
      const contents file = write_disk<small_deflate>(disk, how).file;
      memory_source source{byte_view(disk)};
      CHECK(write_stream<small_deflate>(source, how) == file);

      // A target with old content, and one that is written in place in memory.
      fault none;
      failing_file reused(none, contents(2 * file.size() + 100, std::byte{0xEE}));
      REQUIRE(write_to<small_deflate>(source, reused, how));
      CHECK(reused.content() == file);
      contents room(file.size(), std::byte{0xEE});
      memory_sink in_memory{byte_span(room)};
      REQUIRE(write_to<small_deflate>(source, in_memory, how));
      CHECK(room == file);
      counting_sink counted;
      REQUIRE(write_to<small_deflate>(source, counted, how));
      CHECK(counted.size() == file.size());
    }
  }
}

TEST_CASE("a stream's bytes do not depend on the source or the buffers") {
  for (const contents& disk : disks()) {
    const contents file = write_disk(disk, {.grain = 16}).file;
    for (const std::size_t bulk : {std::size_t{1}, std::size_t{8192}, std::size_t{1} << 20}) {
      CAPTURE(disk.size(), bulk);
      const asked how{.grain = 16, .bulk_bytes = bulk};
      fault none;
      failing_source unmapped(disk, none);
      CHECK(write_file(unmapped, how).file == file);
      CHECK(write_stream(unmapped, how) == file);

      // In two parts, cut where no grain begins, with a hole that is known behind them.
      memory_source first{byte_view(disk).first(disk.size() / 3)};
      memory_source second{byte_view(disk).subspan(disk.size() / 3)};
      zero_source hole(0);
      concat_source parts(first, second, hole);
      CHECK(write_file(parts, how).file == file);
      CHECK(write_stream(parts, how) == file);
    }
  }
}

/// Memory as a stream that is read in uneven steps.
class stepping_stream {
 public:
  explicit stepping_stream(byte_view bytes) : bytes_(bytes) {}

  result<std::size_t> read(byte_span out) noexcept {
    const std::size_t n = smaller_of(smaller_of(out.size(), step_), bytes_.size());
    copy_bytes(out.data(), bytes_.data(), n);
    bytes_ = bytes_.subspan(n);
    step_ = step_ * 5 % 4099 + 1;
    return n;
  }

 private:
  byte_view bytes_;
  std::size_t step_ = 1;
};

TEST_CASE("a stream is written from a pipe") {
  for (const contents& disk : disks()) {
    stepping_stream pipe{byte_view(disk)};
    forward_source source(pipe, disk.size());
    CHECK(write_file(source, {.grain = 16}).file == write_disk(disk, {.grain = 16}).file);
  }
}

TEST_CASE("from pipe to pipe the id does not come from the content") {
  const auto piped = [](const contents& disk, const write_options& options, write_report& report) {
    stepping_stream pipe{byte_view(disk)};
    forward_source source(pipe, disk.size());
    fault none;
    failing_stream sink(none);
    const auto done = write_to(source, sink, {.grain = 16, .options = options});
    REQUIRE(done.error() == no_failure);
    report = *done;
    return sink.content();
  };
  const contents disk = random_bytes(100000);
  write_report first, again, other, larger, named;
  const contents file = piped(disk, {}, first);
  CHECK(!first.id_from_content);
  CHECK(holds(facts_of(file), disk));
  CHECK(piped(disk, {}, again) == file);
  (void)piped(random_bytes(100000, 2), {}, other);
  CHECK(other.id == first.id);
  (void)piped(random_bytes(200000), {}, larger);
  CHECK(larger.id != first.id);
  (void)piped(disk, {.extent_name = "other.vmdk"}, named);
  CHECK(named.id != first.id);
  CHECK(first.id != write_disk(disk, {.grain = 16}).report.id);

  // A given CID is the same everywhere.
  const write_options given{.cid_given = true, .cid = 0x1234abcd};
  write_report report;
  const contents with_cid = piped(disk, given, report);
  CHECK(report.id_from_content);
  CHECK(with_cid == write_disk(disk, {.grain = 16, .options = given}).file);
  CHECK(facts_of(with_cid).descriptor.find("CID=1234abcd\n") != std::string::npos);
  const std::string long_id = facts_of(with_cid).descriptor;
  CHECK(long_id.find("1234abcd\"\n", long_id.find("longContentID")) != std::string::npos);
}

TEST_CASE("a source is walked no more often than its id needs") {
  const contents disk = random_bytes(300000);
  fault none;
  failing_source inner(disk, none);
  counting_source source(inner);
  (void)write_file(source, {});
  CHECK(source.read_bytes() == disk.size());
  source.reset();
  (void)write_stream(source, {});
  CHECK(source.read_bytes() == 2 * disk.size());
  source.reset();
  (void)write_stream(source, {.options{.cid_given = true, .cid = 7}});
  CHECK(source.read_bytes() == disk.size());
  source.reset();
  (void)write_stream(source, {.options{.like_mkimg = true}});
  CHECK(source.read_bytes() == disk.size());
}

TEST_CASE("a stream's descriptor is read-only and has its name") {
  const ddb_entry comment{"comment", "of no use"};
  const write_options options{.extent_name = "my disk.vmdk", .more_ddb{&comment, 1}};
  const std::string text =
      facts_of(write_disk(random_bytes(70000), {.options = options}).file).descriptor;
  CHECK(text.find("\nRDONLY 256 SPARSE \"my disk.vmdk\"\n") != std::string::npos);
  CHECK(text.find("ddb.comment = \"of no use\"\n") != std::string::npos);
}

TEST_CASE("a stream has room for a long descriptor") {
  const std::string value(1500, 'x');
  std::vector<std::string> keys(20);
  std::vector<ddb_entry> entries;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    keys[i] = "key" + std::to_string(i);
    entries.push_back({keys[i], value});
  }
  const contents disk = random_bytes(70000);
  for (const tables place : {tables::at_end, tables::in_front}) {
    const write_options options{.more_ddb = entries, .table_place = place};
    const written image = write_disk(disk, {.grain = 16, .options = options});
    const stream_facts facts = facts_of(image.file, place);
    CHECK(holds(facts, disk));
    CHECK(facts.descriptor.size() > 30000);
  }
}

TEST_CASE("mkimg's streams are imitated") {
  // 0x2800 sectors, of which a few grains at the front and the end hold data.
  contents disk(0x2800 * 512);
  const contents front = random_bytes(30 * 512);
  std::memcpy(disk.data(), front.data(), front.size());
  std::memcpy(disk.data() + disk.size() - 512, front.data(), 512);
  const written image = write_disk(disk, {.options{.like_mkimg = true}});
  const stream_facts facts = facts_of(image.file);
  CHECK(holds(facts, disk));
  CHECK(facts.capacity_sectors == 0x2800);
  CHECK(facts.descriptor ==
        "# Disk DescriptorFile\nversion=1\nCID=00000000\nparentCID=ffffffff\n"
        "createType=\"streamOptimized\"\n# Extent description\nRW 10240 SPARSE \"\"\n"
        "# The Disk Data Base\n#DDB\nddb.adapterType = \"ide\"\nddb.geometry.cylinders = \"10\"\n"
        "ddb.geometry.heads = \"16\"\nddb.geometry.sectors = \"63\"\n"
        "ddb.virtualHWVersion = \"4\"\n");
  // One sector of descriptor; the first grain at byte 0x10000.
  CHECK(image.file[36] == std::byte{1});
  CHECK(image.file[64] == std::byte{128});
  CHECK(image.file[0x10008] != std::byte{0});
  CHECK(image.report.id.cid == 0);
}

/// Makes more of a grain than it is.
template <int Extra>
struct growing_encoder {
  static constexpr std::size_t bound(std::size_t n) noexcept { return n + 4000; }
  result<std::size_t> encode(byte_view in, byte_span out) noexcept {
    const auto wanted = static_cast<std::size_t>(static_cast<int>(in.size()) + Extra);
    if (wanted > out.size()) return codec_failure(errc::encoded_too_large);
    // Empty stored blocks make a stream of any length that is five more than another.
    const std::size_t plain = stored::bound(in.size());
    std::size_t at = 2;
    contents inner(plain);
    (void)stored{}.encode(in, inner);
    std::memcpy(out.data(), inner.data(), 2);
    for (; at + plain - 2 < wanted; at += 5) {
      const unsigned char empty[] = {0, 0, 0, 0xFF, 0xFF};
      std::memcpy(out.data() + at, empty, sizeof empty);
    }
    std::memcpy(out.data() + at, inner.data() + 2, plain - 2);
    return at + plain - 2;
  }
};

TEST_CASE("a grain that would grow past what readers take is stored") {
  const contents disk = random_bytes(8192);
  // 8192 + 11 bytes plain; 97 times five more is 8688, 98 times 8693: one byte too many.
  const auto at_limit = write_disk<growing_encoder<496>>(disk, {.grain = 16});
  CHECK(at_limit.file[32 * 512 + 8] == std::byte{8688 & 0xFF});
  CHECK(at_limit.file[32 * 512 + 9] == std::byte{8688 >> 8});
  CHECK(holds(facts_of(at_limit.file), disk));
  const auto past_limit = write_disk<growing_encoder<501>>(disk, {.grain = 16});
  CHECK(past_limit.file == write_disk(disk, {.grain = 16}).file);
}

TEST_CASE("what cannot be written is refused before the sink is touched") {
  const contents disk = random_bytes(1000);
  const auto refused = [&](const contents& bytes, const asked& how) {
    memory_source source{byte_view(bytes)};
    fault none;
    failing_file file(none, contents(3));
    const auto first = write_to(source, file, how);
    failing_stream stream(none);
    const auto second = write_to(source, stream, how);
    CHECK(first.error() == second.error());
    CHECK(file.content().size() == 3);
    CHECK(stream.content().empty());
    return first.error();
  };
  CHECK(refused({}, {}) == options_failure(errc::capacity_zero));
  CHECK(refused(disk, {.grain = 4}) == options_failure(errc::grain_size_invalid, 0, 4));
  CHECK(refused(disk, {.grain = 24}) == options_failure(errc::grain_size_invalid, 0, 24));
  CHECK(refused(disk, {.options{.extent_name = "a\"b"}}).code == errc::option_invalid);
  CHECK(refused(disk, {.options{.cid_given = true, .cid = 0xFFFFFFFF}}).code ==
        errc::option_invalid);
}

TEST_CASE("tables in front need a sink that can be written anywhere") {
  const contents disk = random_bytes(1000);
  memory_source source{byte_view(disk)};
  fault none;
  failing_stream sink(none);
  const auto done = write_to(source, sink, {.options{.table_place = tables::in_front}});
  CHECK(done.error() == sink_failure(errc::not_supported, 0));
  CHECK(sink.content().empty());
}

TEST_CASE("a workspace may be used again") {
  using type = stream_optimized<8>;
  const auto memory = std::make_unique<workspace<type, small_deflate>>();
  for (const contents& disk : disks()) {
    memory_source source{byte_view(disk)};
    fault none;
    failing_file sink(none);
    REQUIRE(write<type>(source, sink, {}, *memory));
    CHECK(sink.content() == write_disk<small_deflate>(disk, {.grain = 8}).file);
    memory->small_directory.fill(std::byte{0xEE});
    memory->table.fill(std::byte{0xEE});
  }
}

TEST_CASE("too little memory is refused") {
  using type = stream_optimized<dynamic_grain>;
  const contents disk = random_bytes(1000);
  memory_source source{byte_view(disk)};
  fault none;
  failing_file sink(none);
  workspace<type, stored> memory;
  contents bulk(2 * 65536 + 512);
  memory.bulk = byte_span(bulk).first(bulk.size() - 1);
  CHECK(write<type>(source, sink, {}, memory).error() ==
        options_failure(errc::workspace_too_small, 0, 2 * 65536 + 512));
  memory.bulk = bulk;
  CHECK(write<type>(source, sink, {}, memory).ok());

  // 129 tables need two sectors of directory.
  zero_source large(129 * 32_MiB);
  CHECK(write<type>(large, sink, {}, memory).error() ==
        options_failure(errc::workspace_too_small, 0, 1024));
  CHECK(write<type>(large, sink, {.table_place = tables::in_front}, memory).ok());
  contents directory(1024);
  memory.directory = directory;
  CHECK(write<type>(large, sink, {}, memory).ok());

  workspace<stream_optimized<>, stored> usual;
  CHECK(write<stream_optimized<>>(large, sink, {}, usual).error() ==
        options_failure(errc::workspace_too_small, 0, 1024));
  usual.directory = directory;
  CHECK(write<stream_optimized<>>(large, sink, {}, usual).ok());
}

}  // namespace

}  // namespace stream_writer_test
