// SPDX-License-Identifier: BSD-2-Clause
#include "settings.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "error.hpp"
#include "vmdk/format/descriptor_fields.hpp"
#include "vmdk/format/text.hpp"

namespace vmdk::cli {
namespace {

constexpr std::string_view known_keys =
    "there are adapterType, virtualHWVersion, toolsVersion, CID, uuid, capacity, tables, name, "
    "mkimg and ddb.*";

[[noreturn]] void refuse(const std::string& key, const std::string& value, const char* wanted) {
  throw error("-o " + key + '=' + value, wanted);
}

std::uint32_t read_number(const std::string& key, const std::string& value) {
  std::uint64_t number = 0;
  if (vmdk::detail::read_decimal(value, number) &&
      number <= std::numeric_limits<std::uint32_t>::max()) {
    return static_cast<std::uint32_t>(number);
  }
  refuse(key, value, "is not a number below 4294967296");
}

/// Picks one of two words.
bool read_choice(const std::string& key, const std::string& value, std::string_view yes,
                 std::string_view no) {
  if (value == yes) return true;
  if (value == no) return false;
  throw error("-o " + key + '=' + value, "must be " + std::string(yes) + " or " + std::string(no));
}

}  // namespace

settings::settings(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) throw error("-o " + text, "is not KEY=VALUE");
    const std::string key = text.substr(0, equals);
    if (has(key)) throw error("-o " + key, "is given twice");
    read(key, text.substr(equals + 1));
    keys_.push_back(key);
  }
  for (const ddb_line& line : lines_) entries_.push_back({line.key, line.value});
}

void settings::read(const std::string& key, const std::string& value) {
  constexpr std::string_view ddb = "ddb.";
  if (key == "adapterType") {
    const auto match = vmdk::detail::find_word(adapter_words, value);
    if (!match.found) refuse(key, value, "must be lsilogic, ide, buslogic or legacyESX");
    options_.controller = match.value;
  } else if (key == "virtualHWVersion") {
    options_.virtual_hw_version = read_number(key, value);
  } else if (key == "toolsVersion") {
    options_.tools_version = read_number(key, value);
  } else if (key == "CID") {
    if (!vmdk::detail::read_hex(value, options_.cid)) {
      refuse(key, value, "must be 1 to 8 hexadecimal digits");
    }
    options_.cid_given = true;
  } else if (key == "uuid") {
    uuid_ = value;
  } else if (key == "capacity") {
    options_.capacity = read_choice(key, value, "grain", "exact") ? capacity_rule::whole_grains
                                                                  : capacity_rule::exact;
  } else if (key == "tables") {
    options_.table_place =
        read_choice(key, value, "front", "end") ? tables::in_front : tables::at_end;
  } else if (key == "name") {
    name_ = value;
    if (name_.empty()) refuse(key, value, "is empty");
  } else if (key == "mkimg") {
    options_.like_mkimg = read_choice(key, value, "yes", "no");
  } else if (key.starts_with(ddb)) {
    lines_.push_back({key.substr(ddb.size()), value});
  } else {
    throw error("-o " + key, "is no known key; " + std::string(known_keys));
  }
}

write_options settings::options() const noexcept {
  write_options options = options_;
  options.extent_name = name_;
  options.uuid = uuid_;
  options.more_ddb = entries_;
  return options;
}

bool settings::has(std::string_view key) const noexcept {
  return std::find(keys_.begin(), keys_.end(), key) != keys_.end();
}

std::string settings::culprit(const failure& why) const {
  switch (static_cast<descriptor_problem>(why.detail)) {
    case descriptor_problem::ddb_key:
    case descriptor_problem::ddb_key_reserved:
    case descriptor_problem::ddb_key_twice:
    case descriptor_problem::ddb_value:
      if (why.offset >= lines_.size()) break;
      return "-o ddb." + lines_[static_cast<std::size_t>(why.offset)].key;
    case descriptor_problem::uuid:
      return "-o uuid=" + uuid_;
    case descriptor_problem::content_id:
      return "-o CID=ffffffff";
    case descriptor_problem::extent_name:
      return has("name") ? "-o name=" + name_ : std::string();
    default:
      break;
  }
  return {};
}

}  // namespace vmdk::cli
