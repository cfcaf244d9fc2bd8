import Foundation

/// A table for people: columns as wide as their widest cell, numbers to the right.
struct TextTable {
  private var rows: [[String]] = []
  private let isLeft: [Bool]

  /// - Parameter columns: headings; one that begins with `<` is set to the left, the others to the right.
  init(_ columns: [String]) {
    isLeft = columns.map { $0.hasPrefix("<") }
    rows.append(columns.map { $0.hasPrefix("<") ? String($0.dropFirst()) : $0 })
  }

  mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The lines, without the blanks at their ends.
  var lines: [String] {
    let widths = isLeft.indices.map { column in rows.map { Self.width($0[column]) }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - Self.width(cell))
        line += (column > 0 ? "  " : "") + (isLeft[column] ? cell + padding : padding + cell)
      }
      while line.hasSuffix(" ") { line.removeLast() }
      return line
    }
  }

  private static func width(_ text: String) -> Int { text.unicodeScalars.count }
}

/// `1,234,567`.
func grouped(_ number: Int) -> String {
  var text = ""
  for (index, digit) in String(abs(number)).reversed().enumerated() {
    if index > 0, index % 3 == 0 { text.append(",") }
    text.append(digit)
  }
  return (number < 0 ? "-" : "") + String(text.reversed())
}

/// `12.3 %`, with more digits where there is little.
func percent(_ share: Double?) -> String {
  guard let share else { return "–" }
  let value = share * 100
  return String(format: value == 0 || value >= 10 ? "%.1f %%" : value >= 0.1 ? "%.2f %%" : "%.4f %%", value)
}

/// `850 ns`, `4.1 µs`, `1.2 ms`.
func duration(nanoseconds: Int) -> String {
  switch nanoseconds {
  case ..<1_000: "\(nanoseconds) ns"
  case ..<1_000_000: String(format: "%.1f µs", Double(nanoseconds) / 1e3)
  default: String(format: "%.1f ms", Double(nanoseconds) / 1e6)
  }
}

/// At most `limit` characters on one line, with `…` for what is left out.
func shortened(_ text: String, _ limit: Int) -> String {
  let line = text.replacingOccurrences(of: "\n", with: " ")
  return line.count <= limit ? line : line.prefix(limit - 1) + "…"
}
