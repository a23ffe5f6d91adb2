// The log's queue, its sinks, and access lines.
#include "chipgate/telemetry/log.hpp"

#include "chipgate/telemetry/access_line.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <gtest/gtest.h>
#include <latch>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace chipgate::telemetry {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

// Keeps what it is given; read once the log is gone.
class KeepingSink : public LineSink {
 public:
  explicit KeepingSink(Lines& lines) : lines_(lines) {}
  Written write(std::string_view line) override {
    lines_.emplace_back(line);
    return Written::whole;
  }

 private:
  Lines& lines_;
};

// Lets the first line through only when it is told to.
class BlockedSink : public LineSink {
 public:
  BlockedSink(std::latch& entered, std::shared_future<void> go) : entered_(entered), go_(std::move(go)) {}
  Written write(std::string_view) override {
    if (!blocked_) entered_.count_down();
    blocked_ = true;
    go_.wait();
    return Written::whole;
  }

 private:
  std::latch& entered_;
  std::shared_future<void> go_;
  bool blocked_ = false;
};

class TemporaryFile {
 public:
  TemporaryFile() {
    std::string name = (std::filesystem::temp_directory_path() / "chipgate-log-XXXXXX").string();
    ::close(::mkstemp(name.data()));
    path_ = name;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Lines lines_of(const std::string& path) {
  Lines lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

LogOptions json_options() { return {.format = LogFormat::json, .path = {}}; }

std::string without_time(const std::string& line) { return line.substr(line.find("\"level\"")); }

TEST(Log, WritesWhatItsLevelLetsThrough) {
  Lines lines;
  {
    Log log(json_options(), std::make_unique<KeepingSink>(lines));
    log.debug("hidden");
    log.info("port_bound", {{"chip", "a"}, {"port", 20001}});
    log.set_level(LogLevel::error);
    log.warn("hidden");
    log.error("broken", {{"detail", "x"}});
    EXPECT_EQ(log.dropped(), 0U);
  }
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(without_time(lines[0]), R"("level":"info","event":"port_bound","chip":"a","port":20001})");
  EXPECT_EQ(without_time(lines[1]), R"("level":"error","event":"broken","detail":"x"})");
}

TEST(Log, TakesLinesFromManyThreads) {
  Lines lines;
  {
    Log log(json_options(), std::make_unique<KeepingSink>(lines));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&log, i] {
        for (int j = 0; j < 500; ++j) log.info("line", {{"thread", i}, {"line", j}});
      });
    }
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(lines.size(), 2'000U);
}

TEST(Log, DropsTheOldestWhenItsSinkIsStuckAndCountsThem) {
  std::latch entered(1);
  std::promise<void> go;
  Log log(json_options(), std::make_unique<BlockedSink>(entered, go.get_future().share()));
  log.info("first");
  entered.wait();
  // The sink holds one line, the queue 4096: the rest push out the oldest, and nobody waits.
  for (int i = 0; i < 5'000; ++i) log.info("line");
  EXPECT_EQ(log.dropped(), 5'000U - 4'096U);
  go.set_value();
}

TEST(Log, LosesNothingWhereItsCallersWait) {
  Lines lines;
  {
    Log log(json_options(), std::make_unique<KeepingSink>(lines));
    log.when_full(WhenFull::wait);
    for (int i = 0; i < 20'000; ++i) log.info("line");
    EXPECT_EQ(log.dropped(), 0U);
  }
  EXPECT_EQ(lines.size(), 20'000U);
}

TEST(Log, AppendsToItsFileAndFollowsARotation) {
  const TemporaryFile file;
  const TemporaryFile rotated;
  {
    LogOptions options = json_options();
    options.path = file.path();
    Log(options).info("before");
    std::filesystem::rename(file.path(), rotated.path());
    Log log(options);
    std::filesystem::remove(file.path());
    EXPECT_FALSE(log.reopen());
    log.info("after");
  }
  EXPECT_EQ(lines_of(rotated.path()).size(), 1U);
  ASSERT_EQ(lines_of(file.path()).size(), 1U);
  EXPECT_NE(lines_of(file.path()).front().find("after"), std::string::npos);
}

TEST(Log, SaysWhyAFileCannotBeOpened) {
  LogOptions options;
  options.path = "/nowhere/at/all.log";
  EXPECT_THROW(Log log(options), std::system_error);
}

TEST(Log, KeepsTheOldFileWhereTheNewOneCannotBeOpened) {
  const TemporaryFile file;
  const auto directory = file.path() + ".d";
  std::filesystem::create_directory(directory);
  const auto path = directory + "/log";
  {
    const auto sink = open_sink(path);
    std::filesystem::rename(path, file.path());
    std::filesystem::remove(directory);
    EXPECT_EQ(sink->reopen(), std::errc::no_such_file_or_directory);
    EXPECT_EQ(sink->write("line"), Written::whole);
  }
  EXPECT_EQ(lines_of(file.path()), Lines{"line"});
}

TEST(Log, OutlivesAFullDisk) {
  LogOptions options;
  options.path = "/dev/full";
  Log log(options);
  for (int i = 0; i < 3; ++i) log.info("line");
  while (log.dropped() < 3) std::this_thread::yield();
  EXPECT_EQ(log.dropped(), 3U);
}

TEST(Log, OutlivesTheReaderOfItsPipe) {
  const TemporaryFile file;
  std::filesystem::remove(file.path());
  ASSERT_EQ(::mkfifo(file.path().c_str(), 0600), 0);
  const int reader = ::open(file.path().c_str(), O_RDONLY | O_NONBLOCK);
  LogOptions options;
  options.path = file.path();
  Log log(options);
  ::close(reader);
  log.info("line");
  while (log.dropped() == 0) std::this_thread::yield();
  EXPECT_EQ(log.dropped(), 1U);
}

TEST(LineSink, LosesLinesRatherThanWaitForAStuckReader) {
  const TemporaryFile file;
  std::filesystem::remove(file.path());
  ASSERT_EQ(::mkfifo(file.path().c_str(), 0600), 0);
  const int reader = ::open(file.path().c_str(), O_RDONLY | O_NONBLOCK);
  const auto sink = open_sink(file.path());
  const std::string line(1'000, 'x');
  int whole = 0;
  while (sink->write(line) == Written::whole) ++whole;
  EXPECT_GT(whole, 10);
  // The second loss waits no more: a stop is not held up for ever.
  const auto begin = Clock::now();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(sink->write(line), Written::lost);
  EXPECT_LT(Clock::now() - begin, 1s);

  std::string all(1 << 20, '\0');
  ASSERT_GT(::read(reader, all.data(), all.size()), 0);
  EXPECT_EQ(sink->write("next"), Written::whole);
  const auto count = ::read(reader, all.data(), all.size());
  ASSERT_GT(count, 0);
  const auto text = all.substr(0, static_cast<std::size_t>(count));
  EXPECT_TRUE(text == "next\n" || text.ends_with("\nnext\n")) << text;
  ::close(reader);
}

AccessLine tunnel_line() {
  AccessLine line;
  line.outcome = Outcome::established;
  line.ended = ErrorKind::upstream_reset;
  line.chip = "c1";
  line.session = "chip-c1-1700000000";
  line.protocol = "socks5";
  line.target = "web.whatsapp.com:443";
  line.endpoint = "http://gw.example:3120";
  line.exit_ip = IpAddress::parse("203.0.113.7");
  line.bytes_up = 10;
  line.stages[Stage::head] = 1500us;
  line.stages[Stage::reply] = 2s;
  line.open = 90min;
  return line;
}

std::string written(const AccessLine& line, const LogOptions& options) {
  Lines lines;
  {
    Log log(options, std::make_unique<KeepingSink>(lines));
    write(log, line);
  }
  return lines.empty() ? "" : without_time(lines.front());
}

TEST(AccessLine, TellsATunnelInOneLine) {
  EXPECT_EQ(written(tunnel_line(), json_options()),
            R"("level":"info","event":"tunnel","chip":"c1","session":"chip-c1-1700000000","protocol":"socks5",)"
            R"("target":"web.whatsapp.com:443","endpoint":"http://gw.example:3120","exit_ip":"203.0.113.7",)"
            R"("bytes_up":10,"bytes_down":0,"head_seconds":0.0015,"reply_seconds":2,"open_seconds":5400,)"
            R"("ended":"upstream_reset","fault":"gateway"})");
}

TEST(AccessLine, TellsARefusalWithWhatWasKnownAndEscapesWhatPeersSaid) {
  AccessLine line;
  line.chip = "c1";
  line.target = "evil\"\n\xff:1";
  line.ended = ErrorKind::provider_refused;
  line.detail = "X-Reason: \x1b[2J";
  EXPECT_EQ(written(line, json_options()),
            "\"level\":\"info\",\"event\":\"refused\",\"chip\":\"c1\",\"target\":\"evil\\\"\\n\xef\xbf\xbd:1\","
            "\"ended\":\"provider_refused\",\"fault\":\"provider\",\"detail\":\"X-Reason: \\u001b[2J\"}");
}

TEST(AccessLine, TellsTheFixOfARefusalThatHasOne) {
  AccessLine line;
  line.ended = ErrorKind::cleartext_upgrade;
  const auto said = written(line, json_options());
  EXPECT_NE(said.find("\"hint\":\"make the client use CONNECT: agent: new HttpsProxyAgent(url)"), std::string::npos)
      << said;
}

TEST(AccessLine, IsSilentWhenSwitchedOff) {
  auto options = json_options();
  options.access = AccessLines::off;
  EXPECT_EQ(written(tunnel_line(), options), "");
}

}  // namespace
}  // namespace chipgate::telemetry
