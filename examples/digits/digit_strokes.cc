// The stroke models themselves: two to four ways to write each digit, as people do.
#include "examples/digits/digit_strokes.h"

#include <array>
#include <cstddef>

namespace pith::examples {
namespace {

using P = StrokePoint;
constexpr P kUp = kPenUp;

constexpr P kZeroRound[] = {{55, 2},  {20, 16}, {4, 55},  {22, 92}, {52, 99},
                            {84, 85}, {97, 50}, {84, 15}, {52, 2}};
constexpr P kZeroSlim[] = {{72, 10}, {45, 1},  {16, 32}, {14, 72}, {40, 98},
                           {74, 78}, {86, 42}, {70, 10}, {50, 4}};

constexpr P kOneStick[] = {{55, 0}, {51, 50}, {47, 100}};
constexpr P kOneFlag[] = {{22, 24}, {40, 14}, {55, 0}, {55, 0}, {53, 50}, {52, 100}};
constexpr P kOneFoot[] = {{24, 22}, {55, 0},   {55, 0},  {53, 50}, {52, 100},
                          kUp,      {18, 100}, {52, 99}, {86, 100}};

constexpr P kTwoPlain[] = {{10, 25}, {26, 5},  {60, 0},  {84, 22}, {72, 50},
                           {40, 78}, {5, 100}, {5, 100}, {50, 98}, {97, 97}};
constexpr P kTwoLoop[] = {{8, 22},  {30, 3}, {66, 3},  {83, 26}, {64, 60},
                          {26, 95}, {8, 88}, {22, 76}, {52, 90}, {97, 97}};
constexpr P kTwoSwan[] = {{18, 16}, {52, 0},  {86, 20}, {60, 58}, {12, 96},
                          {12, 96}, {40, 90}, {70, 99}, {96, 88}};

constexpr P kThreeRound[] = {{10, 10}, {45, 0},  {84, 15}, {76, 38},  {40, 47},
                             {40, 47}, {84, 57}, {92, 80}, {58, 100}, {10, 90}};
constexpr P kThreeFlat[] = {{12, 3},  {48, 4},  {86, 3},  {86, 3},   {44, 42},
                            {44, 42}, {84, 54}, {88, 84}, {52, 100}, {8, 90}};

constexpr P kFourOpen[] = {{28, 0},  {16, 36}, {8, 62},  {8, 62},  {50, 60},
                           {95, 57}, kUp,      {74, 12}, {70, 56}, {66, 100}};
constexpr P kFourClosed[] = {{70, 0},  {36, 35}, {5, 67}, {5, 67},  {50, 66},
                             {98, 66}, kUp,      {72, 0}, {71, 50}, {70, 100}};
constexpr P kFourOneLine[] = {{24, 4}, {20, 44}, {44, 56}, {80, 40}, {84, 2}, {84, 2}, {80, 50}, {76, 100}};

constexpr P kFiveOneLine[] = {{86, 3},  {56, 5},  {25, 5},  {25, 5},   {18, 43}, {18, 43},
                              {55, 36}, {90, 62}, {74, 92}, {36, 100}, {5, 88}};
constexpr P kFiveTwoLines[] = {{28, 5},  {24, 25}, {20, 45}, {20, 45}, {56, 38}, {88, 66},
                               {66, 97}, {10, 94}, kUp,      {28, 5},  {60, 3},  {92, 0}};
constexpr P kFiveCurl[] = {{88, 6}, {30, 4}, {22, 40}, {60, 40}, {88, 70}, {56, 100}, {8, 84}};

constexpr P kSixHook[] = {{74, 3},  {36, 24}, {10, 64}, {24, 94}, {60, 99},
                          {85, 78}, {66, 55}, {30, 60}, {14, 80}};
constexpr P kSixStraight[] = {{62, 0}, {34, 36}, {14, 74}, {40, 100}, {78, 92}, {82, 66}, {50, 56}, {18, 74}};

constexpr P kSevenPlain[] = {{5, 5}, {50, 4}, {95, 3}, {95, 3}, {62, 48}, {38, 100}};
constexpr P kSevenBar[] = {{6, 6},    {50, 3}, {94, 4},  {94, 4},  {64, 50},
                           {42, 100}, kUp,     {26, 52}, {54, 50}, {84, 48}};
constexpr P kSevenSerif[] = {{8, 24}, {9, 5}, {9, 5}, {50, 7}, {94, 3}, {94, 3}, {66, 46}, {54, 100}};

constexpr P kEightOneLine[] = {{80, 18},  {50, 0},  {20, 15}, {32, 42}, {70, 62}, {84, 83},
                               {50, 100}, {16, 83}, {30, 60}, {68, 40}, {82, 18}};
constexpr P kEightTwoRings[] = {{50, 2},  {20, 22}, {50, 47},  {80, 22}, {50, 2}, kUp,
                                {50, 46}, {13, 73}, {50, 100}, {87, 73}, {50, 46}};

constexpr P kNineStraight[] = {{84, 20}, {54, 2},  {20, 16}, {18, 42}, {50, 52},
                               {82, 24}, {84, 18}, {84, 18}, {80, 60}, {70, 100}};
constexpr P kNineHook[] = {{85, 22}, {50, 2},  {16, 20}, {26, 48}, {60, 48},
                           {84, 22}, {84, 22}, {85, 66}, {64, 96}, {24, 96}};
constexpr P kNineBalloon[] = {{70, 46}, {34, 50}, {18, 26}, {44, 2}, {78, 14}, {74, 46}, {60, 76}, {48, 100}};

template <size_t N>
constexpr std::array<Handwriting, N> ways(const Handwriting (&list)[N]) {
  std::array<Handwriting, N> out;
  for (size_t i = 0; i < N; ++i) out[i] = list[i];
  return out;
}

constexpr auto kZero = ways({kZeroRound, kZeroSlim});
constexpr auto kOne = ways({kOneStick, kOneFlag, kOneFoot});
constexpr auto kTwo = ways({kTwoPlain, kTwoLoop, kTwoSwan});
constexpr auto kThree = ways({kThreeRound, kThreeFlat});
constexpr auto kFour = ways({kFourOpen, kFourClosed, kFourOneLine});
constexpr auto kFive = ways({kFiveOneLine, kFiveTwoLines, kFiveCurl});
constexpr auto kSix = ways({kSixHook, kSixStraight});
constexpr auto kSeven = ways({kSevenPlain, kSevenBar, kSevenSerif});
constexpr auto kEight = ways({kEightOneLine, kEightTwoRings});
constexpr auto kNine = ways({kNineStraight, kNineHook, kNineBalloon});

constexpr std::span<const Handwriting> kDigits[10] = {kZero, kOne, kTwo,   kThree, kFour,
                                                      kFive, kSix, kSeven, kEight, kNine};

}  // namespace

std::span<const Handwriting> ways_to_write(int digit) { return kDigits[digit]; }

}  // namespace pith::examples
