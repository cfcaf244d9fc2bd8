/// A new rule with its test, ready to edit: `rules new`.
package struct RuleTemplate: Sendable {
  /// Path below the rule directory, and text, of the rule and of its test.
  package let rule: (path: String, text: String)
  package let test: (path: String, text: String)

  /// nil where `name` cannot be a rule's name. `folder` may be empty.
  package init?(name: String, folder: String) {
    guard isPascalCase(name), name.utf8.count <= 58 else { return nil }
    var stem = (folder.isEmpty ? "" : folder + "/") + RuleTemplate.snake(name)
    // A file that ends like a test would be read as one.
    if stem.hasSuffix("_test") { stem += "_rule" }
    let owner =
      folder.isEmpty ? "" : "\n  owner = \(quoted(folder.split(separator: "/").last.map(String.init) ?? folder)),"
    rule = (
      stem + ".lua",
      """
      -- What it looks for, why the numbers are what they are, and what has to stay out.
      return rule {
        name = "\(name)",
        about = "More than eight links in one post.",\(owner)
        actions = { "operation#create" },
        collections = { "app.bsky.feed.post" },
        mode = "shadow", -- it runs and is counted, and nothing follows; "live" when you like what you see
        when = function(event)
          local links = #event.links
          return links > 8, { \(name)Links = links }
        end,
        effects = {
          verdict "review",
        },
      }

      """
    )
    test = (
      stem + "_test.lua",
      """
      local function links(n)
        local list = {}
        for i = 1, n do list[i] = "https://site" .. i .. ".example/" end
        return list
      end

      return tests "\(name)" {
        case "nine links" {
          post { text = "look at all this", links = links(9) },
          hits = true, features = { \(name)Links = 9 }, effects = { verdict = "review" },
        },
        case "eight links" {
          post { text = "a reading list", links = links(8) },
          silent = true,
        },
      }

      """
    )
  }

  /// `LinkFlood` becomes `link_flood`, `HTTPLinks` becomes `http_links`.
  private static func snake(_ name: String) -> String {
    var out = ""
    let letters = Array(name)
    for (index, letter) in letters.enumerated() {
      let isBreak =
        letter.isUppercase && index > 0
        && (!letters[index - 1].isUppercase || (index + 1 < letters.count && letters[index + 1].isLowercase))
      out += (isBreak ? "_" : "") + letter.lowercased()
    }
    return out
  }
}
