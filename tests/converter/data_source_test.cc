// IDX, CIFAR-10, raw and WAV sources: values, order, labels, and what they refuse.
#include "converter/data/data_source.h"

#include <doctest/doctest.h>

#include <cstring>

#include "tests/support/dataset_maker.h"
#include "tests/support/temp_folder.h"

using namespace pith;
using namespace pith::data;
using namespace pith::test;

namespace {

std::string idx_error(const TempFolder& folder, const std::string& bytes) {
  const Result<SourcePtr> source = open_idx_source(folder.write("bad.idx", bytes));
  if (source.is_ok()) return "";
  CHECK(says(source.status().message(), "bad.idx"));
  return source.status().message();
}
std::string wav_error(const TempFolder& folder, const std::string& bytes) {
  folder.write("wavs/bad.wav", bytes);
  WavConfig config;
  config.files.folder = folder / "wavs";
  const Result<SourcePtr> source = open_wav_source(config);
  return source.is_ok() ? "" : source.status().message();
}
std::string cifar_record(int label, char fill) {
  return std::string(1, static_cast<char>(label)) + std::string(1024, fill) +
         std::string(1024, static_cast<char>(fill + 1)) + std::string(1024, static_cast<char>(fill + 2));
}

}  // namespace

TEST_CASE("idx: images and 16-bit numbers are read in file order, plain and gzipped alike") {
  TempFolder folder;
  const std::string images = idx_bytes(8, {2, 2, 3}, "abcdefghijkl");
  for (const std::string& bytes : {images, gzipped(images)}) {
    const Result<SourcePtr> source = open_idx_source(folder.write("x.idx", bytes));
    REQUIRE_MESSAGE(source.is_ok(), source.status().message());
    CHECK(source.value()->spec().count == 2);
    CHECK(source.value()->spec().axes == Axes::hw);
    const Result<HostTensor> second = source.value()->read(1);
    REQUIRE(second.is_ok());
    CHECK(second.value().shape == std::vector<int64_t>{2, 3});
    CHECK(std::memcmp(second.value().bytes.data(), "ghijkl", 6) == 0);
  }
  const Result<SourcePtr> wide =
      open_idx_source(folder.write("w.idx", idx_bytes(0x0B, {2}, std::string("\x01\x02\xff\xfe", 4))));
  REQUIRE(wide.is_ok());
  const Result<HostTensor> first = wide.value()->read(0), last = wide.value()->read(1);
  REQUIRE(first.is_ok());
  CHECK(first.value().as<int16_t>()[0] == 0x0102);
  CHECK(last.value().as<int16_t>()[0] == -2);
}

TEST_CASE("idx: malformed, truncated, oversized and bomb-like files are refused") {
  TempFolder folder;
  CHECK(says(idx_error(folder, ""), "truncated"));
  CHECK(says(idx_error(folder, "GIF89a..."), "not an IDX file"));
  CHECK(says(idx_error(folder, idx_bytes(7, {1}, "a")), "not an IDX file"));
  CHECK(says(idx_error(folder, idx_bytes(8, {}, "a")), "rank 0"));
  CHECK(says(idx_error(folder, idx_bytes(8, std::vector<uint32_t>(9, 1), "a")), "rank 9"));
  CHECK(says(idx_error(folder, idx_bytes(8, {4, 4}, "short")), "truncated"));
  CHECK(says(idx_error(folder, idx_bytes(8, {2, 2}, "longer")), "too long"));
  CHECK(says(idx_error(folder, idx_bytes(8, {0, 2}, "")), "holds nothing"));
  const uint32_t top = 0xffffffff;
  CHECK(says(idx_error(folder, idx_bytes(8, {top, top, top}, "")), "larger than any file"));
  CHECK(says(idx_error(folder, idx_bytes(8, {top, 1000}, "")), "truncated"));
  CHECK(says(idx_error(folder, gzipped(idx_bytes(8, {top, 1000}, "abc"))), "can hold"));
  CHECK(says(idx_error(folder, gzipped(idx_bytes(8, {4}, "ab"))), "decompressed data end"));
  CHECK(says(idx_error(folder, gzipped(idx_bytes(8, {2}, "abcd"))), "more data follow"));
  const std::string good = gzipped(idx_bytes(8, {64}, std::string(64, 'q')));
  for (size_t cut = 2; cut < good.size(); ++cut) {
    CAPTURE(cut);
    CHECK_FALSE(idx_error(folder, good.substr(0, cut)).empty());
  }
  std::string corrupt = good;
  corrupt[good.size() - 6] = static_cast<char>(corrupt[good.size() - 6] ^ 1);  // the checksum
  CHECK(says(idx_error(folder, corrupt), "damaged"));
}

TEST_CASE("cifar10: several files are one after the other, planes stay planes, labels come along") {
  TempFolder folder;
  const std::string a = folder.write("a.bin", cifar_record(3, 'a') + cifar_record(9, 'd'));
  const std::string b = folder.write("b.bin", cifar_record(0, 'g'));
  const Result<SourcePtr> source = open_cifar10_source({a, b});
  REQUIRE(source.is_ok());
  CHECK(source.value()->spec().count == 3);
  CHECK(source.value()->spec().class_names[3] == "cat");
  const int64_t labels[3] = {3, 9, 0};
  for (int64_t i = 0; i < 3; ++i) {
    const Result<HostTensor> image = source.value()->read(i);
    REQUIRE(image.is_ok());
    CHECK(image.value().shape == std::vector<int64_t>{3, 32, 32});
    for (int plane = 0; plane < 3; ++plane)
      CHECK(std::to_integer<char>(image.value().bytes[static_cast<size_t>(plane * 1024 + 1023)]) ==
            'a' + 3 * i + plane);
    CHECK(source.value()->label(i).value() == labels[i]);
  }
}

TEST_CASE("cifar10: truncated files, empty files and labels above 9 are refused") {
  TempFolder folder;
  const std::string cut = folder.write("cut.bin", cifar_record(1, 'a').substr(0, 3000));
  CHECK(says(open_cifar10_source({cut}).status().message(), "truncated"));
  CHECK_FALSE(open_cifar10_source({folder.write("empty.bin", "")}).is_ok());
  CHECK_FALSE(open_cifar10_source({}).is_ok());
  const Result<SourcePtr> source = open_cifar10_source({folder.write("ten.bin", cifar_record(10, 'a'))});
  REQUIRE(source.is_ok());
  CHECK(says(source.value()->label(0).status().message(), "label 10"));
}

TEST_CASE("raw: records after a header, and one file per record named by a CSV list") {
  TempFolder folder;
  RawConfig config;
  config.file = folder.write("x.bin", "HEADabcdef");
  config.skip_bytes = 4;
  config.dtype = DType::u8;
  config.shape = {1, 3};
  const Result<SourcePtr> one = open_raw_source(config);
  REQUIRE(one.is_ok());
  CHECK(one.value()->spec().count == 2);
  CHECK(std::memcmp(one.value()->read(1).value().bytes.data(), "def", 3) == 0);

  folder.write("clips/b.bin", "xyz");
  folder.write("clips/a.bin", "uvw");
  RawConfig many = config;
  many.file.clear();
  many.skip_bytes = 0;
  many.files.folder = folder / "clips";
  many.files.list = folder.write("y_labels.csv", "b.bin,12,7\r\na.bin,12,2\r\n");
  many.files.delimiter = ',';
  many.files.label_column = 2;
  many.files.label_from = LabelFrom::list;
  const Result<SourcePtr> listed = open_raw_source(many);
  REQUIRE_MESSAGE(listed.is_ok(), listed.status().message());
  CHECK(listed.value()->label(0).value() == 7);
  CHECK(std::memcmp(listed.value()->read(1).value().bytes.data(), "uvw", 3) == 0);

  config.shape = {4};
  CHECK(says(open_raw_source(config).status().message(), "whole number of items"));
  config.shape = {int64_t{1} << 40, int64_t{1} << 40};
  CHECK_FALSE(open_raw_source(config).is_ok());
  folder.write("clips/b.bin", "xyz!");
  CHECK(says(listed.value()->read(0).status().message(), "expected 3"));
}

TEST_CASE("wav: windows cover a clip with hop and padding, samples are scaled to [-1, 1)") {
  TempFolder folder;
  folder.write("wavs/a/one.wav", wav_bytes({}, pcm16({-32768, 16384, 1, 2, 3, 4, 5})));
  folder.write("wavs/b/two.wav",
               wav_bytes({}, pcm16({7, 8}), "LIST" + little_endian(3, 4) + "abc" + std::string(1, '\0')));
  WavConfig config;
  config.files.folder = folder / "wavs";
  config.files.label_from = LabelFrom::folder;
  config.window = 4;
  config.hop = 2;
  const auto count = [&] {
    const Result<SourcePtr> s = open_wav_source(config);
    return s.is_ok() ? s.value()->spec().count : -1;
  };
  CHECK(count() == 2);  // [0,4) and [2,6) of the first clip; nothing of the second
  config.pad = true;
  CHECK(count() == 4);  // [4,8) with one zero, and the second clip with two
  const Result<SourcePtr> source = open_wav_source(config);
  REQUIRE(source.is_ok());
  const Result<HostTensor> first = source.value()->read(0), third = source.value()->read(2),
                           last = source.value()->read(3);
  REQUIRE(third.is_ok());
  CHECK(first.value().as<float>()[0] == -1.0f);
  CHECK(first.value().as<float>()[1] == 0.5f);
  CHECK(third.value().as<float>()[2] == 5.0f / 32768);
  CHECK(third.value().as<float>()[3] == 0.0f);
  CHECK(last.value().as<float>()[1] == 8.0f / 32768);
  CHECK(last.value().as<float>()[2] == 0.0f);
  CHECK(source.value()->label(2).value() == 0);
  CHECK(source.value()->label(3).value() == 1);
  CHECK(source.value()->spec().class_names == std::vector<std::string>{"a", "b"});
  config.pad = false;
  config.window = 100;
  CHECK(says(open_wav_source(config).status().message(), "smaller \"window\""));
}

TEST_CASE("wav: float clips and extensible headers are read, whole clips must agree in length and rate") {
  TempFolder folder;
  const float samples[2] = {0.25f, -3.0f};
  const std::string raw(reinterpret_cast<const char*>(samples), 8);
  folder.write("wavs/f.wav", wav_bytes({3, 1, 8000, 32}, raw));
  WavConfig config;
  config.files.folder = folder / "wavs";
  Result<SourcePtr> source = open_wav_source(config);
  REQUIRE_MESSAGE(source.is_ok(), source.status().message());
  CHECK(source.value()->read(0).value().as<float>()[1] == -3.0f);
  CHECK_FALSE(source.value()->label(0).is_ok());
  folder.write("wavs/g.wav", wav_bytes({3, 1, 16000, 32}, raw));
  CHECK(says(open_wav_source(config).status().message(), "16000 samples a second"));
  folder.write("wavs/g.wav", wav_bytes({3, 1, 8000, 32}, raw + raw));
  CHECK(says(open_wav_source(config).status().message(), "set \"window\""));
}

TEST_CASE("wav: stereo, compressed, truncated and malformed files are refused with advice") {
  TempFolder folder;
  CHECK(says(wav_error(folder, wav_bytes({1, 2, 16000, 16}, pcm16({1, 2}))), "2 channels"));
  CHECK(says(wav_error(folder, wav_bytes({1, 1, 16000, 24}, "abc")), "24 bits"));
  CHECK(says(wav_error(folder, wav_bytes({85, 1, 16000, 16}, "ab")), "encoding 85"));
  CHECK(says(wav_error(folder, wav_bytes({1, 1, 0, 16}, "ab")), "rate of 0"));
  CHECK(says(wav_error(folder, wav_bytes({}, "abc")), "3 bytes of samples"));
  CHECK(says(wav_error(folder, wav_bytes({}, "")), "0 bytes of samples"));
  CHECK(says(wav_error(folder, "RIFF"), "too few"));
  CHECK(says(wav_error(folder, "OggS............"), "not a WAV file"));
  CHECK(says(wav_error(folder, "RIFF" + little_endian(4, 4) + "WAVE"), "no data chunk"));
  CHECK(says(wav_error(folder, "RIFF" + little_endian(4, 4) + "WAVEdata" + little_endian(2, 4) + "ab"),
             "before their format"));
  CHECK(says(wav_error(folder, "RIFF" + little_endian(4, 4) + "WAVEfmt " + little_endian(4, 4) + "abcd"),
             "16 or more"));
  const std::string good = wav_bytes({}, pcm16({1, 2, 3, 4}));
  for (size_t cut = 0; cut < good.size(); ++cut) {
    CAPTURE(cut);
    CHECK_FALSE(wav_error(folder, good.substr(0, cut)).empty());
  }
  std::string huge = good;
  for (size_t i = 40; i < 44; ++i) huge[i] = '\xff';
  CHECK(says(wav_error(folder, huge), "4294967295 bytes"));
}

TEST_CASE("file list: folders become labels in sorted or given order, strays and empty folders are refused") {
  TempFolder folder;
  folder.write("d/cat/1.wav", "");
  folder.write("d/ant/2.WAV", "");
  folder.write("d/ant/notes.txt", "");
  folder.write("d/.hidden/3.wav", "");
  FileListConfig config;
  config.folder = folder / "d";
  config.extensions = {".wav"};
  config.label_from = LabelFrom::folder;
  Result<FileList> list = list_files(config);
  REQUIRE_MESSAGE(list.is_ok(), list.status().message());
  CHECK(list.value().paths == std::vector<std::string>{folder / "d/ant/2.WAV", folder / "d/cat/1.wav"});
  CHECK(list.value().labels == std::vector<int64_t>{0, 1});
  config.classes = {"cat", "ant"};
  CHECK(list_files(config).value().labels == std::vector<int64_t>{1, 0});
  config.classes = {"cat"};
  CHECK(says(list_files(config).status().message(), "'ant' is not in the list"));
  config.label_from = LabelFrom::filename;
  CHECK(list_files(config).value().labels == std::vector<int64_t>{2, 1});
  folder.write("d/stray.wav", "");
  CHECK(says(list_files(config).status().message(), "begin with digits"));
  config.label_from = LabelFrom::folder;
  config.classes.clear();
  CHECK(says(list_files(config).status().message(), "in none"));
  config.extensions = {".mp3"};
  CHECK(says(list_files(config).status().message(), "no .mp3 files"));
  config.folder = folder / "none";
  CHECK(list_files(config).status().code() == Code::io);
}

TEST_CASE("file list: a labels.txt names files and labels, with blanks, quotes and bad lines") {
  TempFolder folder;
  FileListConfig config;
  config.list = folder.write("labels.txt", "one.png 3\n\"my two.png\"\t 4  \n");
  config.label_from = LabelFrom::list;
  const Result<FileList> list = list_files(config);
  REQUIRE_MESSAGE(list.is_ok(), list.status().message());
  CHECK(list.value().paths == std::vector<std::string>{folder / "one.png", folder / "my two.png"});
  CHECK(list.value().labels == std::vector<int64_t>{3, 4});
  config.list = folder.write("bad.txt", "one.png 3\ntwo.png dog\n");
  CHECK(says(list_files(config).status().message(), "line 2: 'dog' is not a label"));
  config.list = folder.write("bad.txt", "one.png\n");
  CHECK(says(list_files(config).status().message(), "line 1: no label"));
  config.list = folder.write("bad.txt", "\n\n");
  CHECK(says(list_files(config).status().message(), "no files"));
  for (const char* label : {"-1", "1.5", "99999999999999999999", "2147483648", "0x3", ""})
    CHECK_FALSE(parse_label(label, "x").is_ok());
  CHECK(split_fields("a,\"b,\"\"c\",", ',') == std::vector<std::string>{"a", "b,\"c", ""});
}
