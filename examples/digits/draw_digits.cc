// One picture: a hand writes the digit, the paper gathers clutter, the camera blurs and adds noise. How far
// each goes is set by the picture's trouble, 0..256, drawn as the product of two uniform numbers so that easy
// pictures are the most.
#include "examples/digits/draw_digits.h"

#include <algorithm>
#include <vector>

#include "examples/digits/digit_random.h"
#include "examples/digits/digit_strokes.h"

namespace pith::examples {
namespace {

constexpr int kOne = 4096;  // 1.0 in the maps below
constexpr int kTroubleRange = 256;
constexpr int kWarpSide = 4;  // displacement grid, its corners on the corners of the sheet
constexpr int kPiecesPerSpan =
    6;  // straight pieces of one curve span; a span is at most about 12 pixels long

int pixels(int whole) { return whole * kPixel; }

// `calm` when trouble is 0, `wild` when it is full.
int by_trouble(int trouble, int calm, int wild) { return calm + (wild - calm) * trouble / kTroubleRange; }

// How one hand writes one digit: p in the digit's box -> centre + map * p + warp.
struct Hand {
  Spot centre;
  int width, height;  // of the box, 1/256 pixel
  int map[2][2];      // rotation and slant, kOne = 1.0
  Spot warp[kWarpSide][kWarpSide];
  int shake;     // deviation of every path point, 1/256 pixel
  int radius;    // of the pen
  int pressure;  // the radius varies by up to this share of kOne
  int ink;
};

// Rotation by the angle whose half has the tangent t (of kOne): sine and cosine without a trigonometric
// function.
void set_map(Hand& hand, int t, int slant) {
  const int64_t t2 = int64_t{t} * t / kOne;
  const int cosine = static_cast<int>((kOne - t2) * kOne / (kOne + t2));
  const int sine = static_cast<int>(2 * int64_t{t} * kOne / (kOne + t2));
  hand.map[0][0] = cosine;
  hand.map[0][1] = cosine * slant / kOne - sine;
  hand.map[1][0] = sine;
  hand.map[1][1] = sine * slant / kOne + cosine;
}

Hand pick_hand(DigitRandom& random, int trouble) {
  Hand hand{};
  hand.width =
      random.between(by_trouble(trouble, pixels(11), pixels(8)), by_trouble(trouble, pixels(14), pixels(17)));
  hand.height = random.between(by_trouble(trouble, pixels(17), pixels(13)),
                               by_trouble(trouble, pixels(20), pixels(22)));
  const int off_centre = by_trouble(trouble, kPixel / 2, 2 * kPixel);
  hand.centre.x = pixels(kDigitSide / 2) + random.around_zero(off_centre);
  hand.centre.y = pixels(kDigitSide / 2) + random.around_zero(off_centre);
  const int half_turn =
      random.around_zero(by_trouble(trouble, kOne / 25, kOne / 8));  // deviation 4.6 .. 14 degrees
  const int slant = random.around_zero(by_trouble(trouble, kOne / 8, kOne / 3)) - kOne / 16;
  set_map(hand, half_turn, slant);
  const int warp = by_trouble(trouble, kPixel / 2, pixels(2));
  for (auto& row : hand.warp) {
    for (Spot& spot : row) {
      spot.x = random.around_zero(warp);
      spot.y = random.around_zero(warp);
    }
  }
  hand.shake = by_trouble(trouble, kPixel / 4, kPixel);
  hand.radius = random.between(kPixel * 5 / 8, by_trouble(trouble, kPixel * 3 / 2, kPixel * 9 / 4));
  hand.pressure = random.between(0, kOne * 2 / 5);
  hand.ink = random.between(by_trouble(trouble, kFullInk * 7 / 10, kFullInk * 2 / 5), kFullInk);
  return hand;
}

// Displacement of the warp grid at a place on the sheet: bilinear between the four nodes around it.
Spot warp_at(const Hand& hand, Spot p) {
  constexpr int kCell = kDigitSide * kPixel / (kWarpSide - 1);
  const auto split = [](int v, int& cell, int& part) {
    const int inside = std::clamp(v, 0, kDigitSide * kPixel - 1);
    cell = std::min(inside / kCell, kWarpSide - 2);
    part = (inside - cell * kCell) * kOne / kCell;
  };
  int cx = 0, cy = 0, px = 0, py = 0;
  split(p.x, cx, px);
  split(p.y, cy, py);
  const auto mix = [](int a, int b, int part) { return a + (b - a) * part / kOne; };
  const Spot &nw = hand.warp[cy][cx], &ne = hand.warp[cy][cx + 1];
  const Spot &sw = hand.warp[cy + 1][cx], &se = hand.warp[cy + 1][cx + 1];
  return {mix(mix(nw.x, ne.x, px), mix(sw.x, se.x, px), py),
          mix(mix(nw.y, ne.y, px), mix(sw.y, se.y, px), py)};
}

Spot onto_sheet(const Hand& hand, Spot p) {
  Spot out{hand.centre.x + (hand.map[0][0] * p.x + hand.map[0][1] * p.y) / kOne,
           hand.centre.y + (hand.map[1][0] * p.x + hand.map[1][1] * p.y) / kOne};
  const Spot moved = warp_at(hand, out);
  out.x += moved.x;
  out.y += moved.y;
  return out;
}

// Catmull-Rom: through p[1] and p[2], heading along p[2] - p[0] and p[3] - p[1]. u = 0..kPiecesPerSpan.
int curve(int p0, int p1, int p2, int p3, int u) {
  constexpr int64_t n = kPiecesPerSpan;
  const int64_t a = -p0 + 3 * p1 - 3 * p2 + p3, b = 2 * p0 - 5 * p1 + 4 * p2 - p3, c = p2 - p0;
  return p1 + static_cast<int>((a * u * u * u + b * u * u * n + c * u * n * n) / (2 * n * n * n));
}

using Stroke = std::vector<PenMark>;  // path points in the digit's box, shaken, each with its pen radius

// The handwriting with this hand's shake and pressure, one stroke after the other. A doubled point (a corner)
// moves once.
std::vector<Stroke> shaken_strokes(const Handwriting& way, const Hand& hand, DigitRandom& random) {
  std::vector<Stroke> strokes(1);
  for (size_t i = 0; i < way.size(); ++i) {
    if (way[i] == kPenUp) {
      strokes.emplace_back();
      continue;
    }
    if (i > 0 && way[i] == way[i - 1]) {
      strokes.back().push_back(strokes.back().back());
      continue;
    }
    PenMark mark{};
    mark.at.x = (way[i].x - 50) * hand.width / 100 + random.around_zero(hand.shake);
    mark.at.y = (way[i].y - 50) * hand.height / 100 + random.around_zero(hand.shake);
    mark.radius = hand.radius + hand.radius * random.between(-hand.pressure, hand.pressure) / kOne;
    strokes.back().push_back(mark);
  }
  return strokes;
}

void draw_span(Canvas& canvas, const Stroke& s, size_t i, const Hand& hand) {
  const Spot a = s[i].at, b = s[i + 1].at;
  if (a.x == b.x && a.y == b.y) return;  // the two halves of a corner
  const Spot before = s[i == 0 ? 0 : i - 1].at, after = s[std::min(i + 2, s.size() - 1)].at;
  PenMark last{onto_sheet(hand, a), s[i].radius};
  for (int u = 1; u <= kPiecesPerSpan; ++u) {
    const Spot p{curve(before.x, a.x, b.x, after.x, u), curve(before.y, a.y, b.y, after.y, u)};
    const PenMark next{onto_sheet(hand, p),
                       s[i].radius + (s[i + 1].radius - s[i].radius) * u / kPiecesPerSpan};
    canvas.draw_line(last, next, hand.ink);
    last = next;
  }
}

void write_digit(Canvas& canvas, int digit, const Hand& hand, DigitRandom& random) {
  const auto ways = ways_to_write(digit);
  const int way = random.below(static_cast<int>(ways.size()));
  for (const Stroke& stroke : shaken_strokes(ways[static_cast<size_t>(way)], hand, random))
    for (size_t i = 0; i + 1 < stroke.size(); ++i) draw_span(canvas, stroke, i, hand);
}

// The edge of another digit looks in from the left or the right.
void add_neighbour(Canvas& canvas, DigitRandom& random, int trouble) {
  Hand hand = pick_hand(random, trouble);
  const int away = random.between(pixels(17), pixels(22));
  hand.centre.x += random.chance(500) ? away : -away;
  hand.ink = hand.ink * 4 / 5;
  write_digit(canvas, random.below(10), hand, random);
}

PenMark anywhere(DigitRandom& random, int radius) {
  PenMark mark{};
  mark.at.x = random.between(-pixels(2), pixels(kDigitSide + 2));
  mark.at.y = random.between(-pixels(2), pixels(kDigitSide + 2));
  mark.radius = radius;
  return mark;
}

void add_clutter(Canvas& canvas, DigitRandom& random, int trouble) {
  const auto tries = [&](int rounds, int wild_per_mille, auto add) {
    for (int i = 0; i < rounds; ++i)
      if (random.chance(by_trouble(trouble, wild_per_mille / 10, wild_per_mille))) add();
  };
  tries(1, 700, [&] { add_neighbour(canvas, random, trouble); });
  tries(3, 450, [&] {  // stray pen lines, fainter than the digit
    const PenMark from = anywhere(random, random.between(kPixel / 3, kPixel));
    const PenMark to = anywhere(random, from.radius);
    canvas.draw_line(from, to, random.between(kFullInk / 5, kFullInk * 3 / 5));
  });
  tries(3, 450, [&] {  // blots
    const PenMark spot = anywhere(random, random.between(kPixel / 2, 2 * kPixel));
    canvas.draw_line(spot, spot, random.between(kFullInk / 3, kFullInk));
  });
  tries(2, 600, [&] {  // scratches through the ink
    const PenMark from = anywhere(random, random.between(kPixel / 4, kPixel * 5 / 4));
    const PenMark to = anywhere(random, from.radius);
    canvas.erase_line(from, to, random.between(kFullInk / 2, kFullInk));
  });
}

// Blur, uneven paper, sensor noise and dead pixels; then 0..kFullInk becomes 0..255.
void photograph(Canvas& canvas, DigitRandom& random, int trouble, std::array<uint8_t, kDigitPixels>& out) {
  const int blurs = random.below(by_trouble(trouble, 2, 4));
  for (int i = 0; i < blurs; ++i) canvas.blur();
  const int paper = random.between(0, by_trouble(trouble, kFullInk / 50, kFullInk / 3));
  const int tilt_x =
      random.around_zero(by_trouble(trouble, 0, kFullInk / (4 * kDigitSide)));  // ink per pixel
  const int tilt_y = random.around_zero(by_trouble(trouble, 0, kFullInk / (4 * kDigitSide)));
  const int noise = random.between(0, by_trouble(trouble, kFullInk / 40, kFullInk / 5));
  const int dead_per_mille = random.between(0, by_trouble(trouble, 2, 30));
  for (int row = 0; row < kDigitSide; ++row) {
    for (int column = 0; column < kDigitSide; ++column) {
      const int ground = std::clamp(
          paper + tilt_x * (column - kDigitSide / 2) + tilt_y * (row - kDigitSide / 2), 0, kFullInk / 2);
      int value = ground + canvas.at(column, row) * (kFullInk - ground) / kFullInk;
      value += random.around_zero(noise);
      if (random.chance(dead_per_mille)) value = random.between(0, kFullInk);
      out[static_cast<size_t>(row * kDigitSide + column)] =
          static_cast<uint8_t>((std::clamp(value, 0, kFullInk) * 255 + kFullInk / 2) / kFullInk);
    }
  }
}

}  // namespace

DigitPicture draw_digit(uint64_t seed, uint64_t index) {
  DigitRandom random(seed, index);
  DigitPicture picture{};
  picture.label = static_cast<uint8_t>(random.below(10));
  const int trouble = random.between(0, kTroubleRange);
  Canvas canvas;
  const Hand hand = pick_hand(random, trouble);
  write_digit(canvas, picture.label, hand, random);
  add_clutter(canvas, random, trouble);
  photograph(canvas, random, trouble, picture.pixels);
  return picture;
}

}  // namespace pith::examples
