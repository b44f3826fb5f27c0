// swift-tools-version:5.7
// The Swift package over CPith.xcframework; run build-xcframework first.
import PackageDescription

let package = Package(
  name: "Pith",
  platforms: [.iOS(.v15), .macOS(.v12)],
  products: [.library(name: "Pith", targets: ["Pith"])],
  targets: [
    .binaryTarget(name: "CPith", path: "CPith.xcframework"),
    .target(name: "Pith", dependencies: ["CPith"]),
  ])
