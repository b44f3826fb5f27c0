// Is a page well-formed and self-contained? Elements closed in order, attributes quoted, no stray < or &, nothing from outside.
#pragma once
#include <cctype>
#include <cstddef>
#include <string>
#include <vector>

namespace pith::test {

// Reads one tag at `at` ("<name a="b">"); moves `at` behind it. "" or what is wrong.
inline std::string read_tag(const std::string& page, size_t* at, std::vector<std::string>* open) {
  const size_t begin = *at;
  size_t end = begin + 1;
  for (bool quoted = false; end < page.size() && (quoted || page[end] != '>'); ++end) {
    if (page[end] == '"') quoted = !quoted;
    if (page[end] == '<') return "'<' inside a tag";
    if (!quoted && page[end] == '=' && page[end + 1] != '"') return "an attribute without quotes";
  }
  if (end >= page.size()) return "a tag without an end";
  *at = end + 1;
  std::string name;
  const bool closes = page[begin + 1] == '/';
  for (size_t i = begin + 1 + closes; i < end && std::isalnum(static_cast<unsigned char>(page[i])); ++i)
    name += page[i];
  if (closes) {
    if (open->empty() || open->back() != name) return "</" + name + "> closes nothing";
    open->pop_back();
  } else if (page[end - 1] != '/' && page[begin + 1] != '!') {
    open->push_back(name);
  }
  return name == "script" ? "a script" : "";
}

// "" or the first fault.
inline std::string markup_fault(const std::string& page) {
  std::vector<std::string> open;
  for (size_t at = 0; at < page.size();) {
    const bool style = !open.empty() && open.back() == "style";
    if (page[at] == '<' && (!style || page.compare(at, 8, "</style>") == 0)) {
      const size_t begin = at;
      if (const std::string fault = read_tag(page, &at, &open); !fault.empty())
        return fault + ": " + page.substr(begin, 60);
    } else if (page[at] == '&') {
      const size_t end = page.find(';', at);
      if (end == std::string::npos || end > at + 7) return "a lone &: " + page.substr(at, 40);
      at = end + 1;
    } else {
      ++at;
    }
  }
  if (!open.empty()) return "<" + open.back() + "> is never closed";
  for (const char* outside : {"http:", "https:", "url(", "src=", "@import", "href="})
    if (page.find(outside) != std::string::npos) return std::string("refers to the outside: ") + outside;
  return "";
}

}  // namespace pith::test
