// The readers over Beast's parser, used without its streams. Beast's headers are heavy: no other file includes them.
#include "chipgate/protocol/http_reader.hpp"

#include "chipgate/base/ascii.hpp"
#include "http_head_buffer.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/none.hpp>
#include <string>
#include <utility>

namespace chipgate::protocol {
namespace {

namespace http = boost::beast::http;
using Beast = boost::beast::string_view;
using boost::system::error_code;

// "0\r\n\r\n". Beast asserts that it sees at least this much of a last chunk.
constexpr std::size_t smallest_chunk_end = 5;

std::string text_of(Beast view) { return {view.data(), view.size()}; }

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

// Of what closes a chunked body. Beast joins them, as it would in a head.
bool has_folded_line(std::string_view text) {
  return text.find("\r\n ") != std::string_view::npos || text.find("\r\n\t") != std::string_view::npos;
}

// Keeps the head, lets the body pass.
template <class Head>
class Parser final : public http::basic_parser<std::is_same_v<Head, RequestHead>> {
 public:
  Parser() {
    // The head was measured as it came. Bodies are forwarded, not kept, so no size is too large.
    this->header_limit(static_cast<std::uint32_t>(2 * largest_head));
    this->body_limit(boost::none);
  }

  const Head& head() const { return head_; }

 private:
  void on_request_impl(http::verb, Beast method, Beast target, int version, error_code&) override {
    if constexpr (std::is_same_v<Head, RequestHead>) {
      head_.method = text_of(method);
      head_.target = text_of(target);
      head_.version = static_cast<unsigned>(version);
    }
  }
  void on_response_impl(int status, Beast reason, int version, error_code&) override {
    if constexpr (std::is_same_v<Head, ResponseHead>) {
      head_.status = static_cast<unsigned>(status);
      head_.reason = text_of(reason);
      head_.version = static_cast<unsigned>(version);
    }
  }
  void on_field_impl(http::field, Beast name, Beast value, error_code&) override {
    // Trailers come here too, long after the head was shown.
    if (!this->is_header_done()) head_.fields.add(text_of(name), text_of(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(Beast body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, Beast extensions, error_code& ec) override {
    // Within quotes Beast lets everything pass, and another parser may see the end of a line there.
    if (std::ranges::any_of(extensions, is_control)) ec = http::error::bad_chunk_extension;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, Beast body, error_code&) override { return body.size(); }
  void on_finish_impl(error_code&) override {}

  Head head_;
};

bool is_number(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

const char* complaint_about_framing(const Fields& fields, unsigned version) {
  const auto encodings = fields.all("Transfer-Encoding");
  if (!encodings.empty()) {
    // A 1.0 peer does not know chunks, and whoever stands behind it would see another end of the message.
    if (version < 11) return "Transfer-Encoding in HTTP/1.0";
    if (encodings.size() > 1 || !equals_ignoring_case(encodings.front(), "chunked")) {
      return "a Transfer-Encoding other than chunked";
    }
  }
  const auto lengths = fields.all("Content-Length");
  if (lengths.size() > 1) return "more than one Content-Length";
  // Beast takes "5, 5" for 5; another parser may not.
  if (!lengths.empty() && !is_number(lengths.front())) return "a Content-Length that is not a number";
  return nullptr;
}

const char* complaint_about(const RequestHead& head) {
  if (const auto* complaint = complaint_about_framing(head.fields, head.version)) return complaint;
  if (head.fields.all("Host").size() > 1) return "more than one Host";
  const bool announces_body =
      head.fields.has("Transfer-Encoding") || head.fields.find("Content-Length").value_or("0") != "0";
  if (head.method == "CONNECT" && announces_body) return "CONNECT with a body";
  return nullptr;
}

const char* complaint_about(const ResponseHead& head) {
  if (head.status < 100) return "a status below 100";
  return complaint_about_framing(head.fields, head.version);
}

// What both readers share: first the head, then the body's framing.
template <class Head>
class Message {
 public:
  explicit Message(HeadOf kind) : buffer_(kind) {}

  Parser<Head>& parser() { return parser_; }
  const Parser<Head>& parser() const { return parser_; }
  HeadBuffer& buffer() { return buffer_; }

  Result<void> parse_head(std::string_view text) {
    error_code ec;
    const auto consumed = parser_.put(boost::asio::buffer(text), ec);
    if (ec) return buffer_.malformed(ec.message());
    if (consumed != text.size() || !parser_.is_header_done()) return buffer_.malformed("the head is not one");
    if (const auto* complaint = complaint_about(parser_.head())) return buffer_.malformed(complaint);
    return {};
  }

  Result<std::size_t> follow_body(std::string_view bytes) {
    if (parser_.is_done()) return std::size_t{0};
    if (pending_.empty()) return follow(bytes, bytes.size());
    // Only part of a chunk's header or of the trailers is ever pending, so this copies little.
    auto joined = std::exchange(pending_, {});
    joined += bytes;
    return follow(joined, bytes.size());
  }

 private:
  // `bytes` end in `fresh` new ones; those before them were the message's already.
  Result<std::size_t> follow(std::string_view bytes, std::size_t fresh) {
    while (!bytes.empty() && !parser_.is_done()) {
      if (parser_.chunked() && bytes.size() < smallest_chunk_end) break;
      error_code ec;
      const auto taken = bytes.substr(0, parser_.put(boost::asio::buffer(bytes), ec));
      bytes.remove_prefix(taken.size());
      if (ec == http::error::need_more) break;
      if (ec) return buffer_.malformed(ec.message());
      // The last chunk and its trailers are taken as one.
      if (parser_.chunked() && parser_.is_done() && has_folded_line(taken)) return buffer_.malformed("a folded line");
    }
    if (parser_.is_done()) return fresh - bytes.size();
    if (bytes.size() > largest_head) return buffer_.malformed("a chunk header or trailers larger than 16 KiB");
    pending_ = bytes;
    return fresh;
  }

  HeadBuffer buffer_;
  Parser<Head> parser_;
  std::string pending_;
};

bool is_status_line_without_space(std::string_view line) {
  return line.size() == std::string_view("HTTP/1.1 200").size();
}

// RFC 9112 section 4 wants a space after the status even before an empty reason, and so does Beast; several proxies
// leave it out.
std::string with_reason(std::string head) {
  const auto end_of_line = head.find("\r\n");
  if (is_status_line_without_space(std::string_view(head).substr(0, end_of_line))) head.insert(end_of_line, " ");
  return head;
}

bool is_success(std::string_view head) { return head.substr(0, 10).ends_with(" 2"); }

// A 2xx to CONNECT must be understood whatever it says about a body, even if that contradicts itself.
std::string without_framing(std::string_view head) {
  std::string kept;
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n") + 2);
    const auto name = line.substr(0, line.find(':'));
    const bool framing =
        equals_ignoring_case(name, "Content-Length") || equals_ignoring_case(name, "Transfer-Encoding");
    if (!framing) kept += line;
    head.remove_prefix(line.size());
  }
  return kept;
}

}  // namespace

struct RequestReader::State {
  Message<RequestHead> message{HeadOf::request};
  std::string refused{};
};

RequestReader::RequestReader() : state_(std::make_unique<State>()) {}
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;
RequestReader::~RequestReader() = default;

Result<std::size_t> RequestReader::take(std::string_view bytes) {
  auto& message = state_->message;
  if (head_complete()) return message.follow_body(bytes);
  auto taken = message.buffer().take(bytes);
  if (taken && !message.buffer().complete()) return taken;
  auto head = message.buffer().release();
  if (taken) {
    const auto parsed = message.parse_head(head);
    if (parsed) return taken;
    taken = parsed.error();
  }
  state_->refused = std::move(head);
  return taken;
}

std::string_view RequestReader::refused_head() const { return state_->refused; }
bool RequestReader::head_complete() const { return state_->message.parser().is_header_done(); }
bool RequestReader::complete() const { return state_->message.parser().is_done(); }
const RequestHead& RequestReader::head() const { return state_->message.parser().head(); }

struct ResponseReader::State {
  explicit State(ResponseTo to) : request(to) {
    if (request == ResponseTo::head) message.parser().skip(true);
  }

  Result<void> parse_head(std::string head) {
    auto text = with_reason(std::move(head));
    if (request == ResponseTo::connect && is_success(text)) {
      message.parser().skip(true);
      text = without_framing(text);
    }
    return message.parse_head(text);
  }

  ResponseTo request;
  Message<ResponseHead> message{HeadOf::response};
  bool ended = false;
};

ResponseReader::ResponseReader(ResponseTo request) : state_(std::make_unique<State>(request)) {}
ResponseReader::ResponseReader(ResponseReader&&) noexcept = default;
ResponseReader& ResponseReader::operator=(ResponseReader&&) noexcept = default;
ResponseReader::~ResponseReader() = default;

Result<std::size_t> ResponseReader::take(std::string_view bytes) {
  auto& message = state_->message;
  if (state_->ended) return std::size_t{0};
  if (head_complete()) return message.follow_body(bytes);
  auto taken = message.buffer().take(bytes);
  if (!taken || !message.buffer().complete()) return taken;
  const auto parsed = state_->parse_head(message.buffer().release());
  if (!parsed) return parsed.error();
  return taken;
}

bool ResponseReader::head_complete() const { return state_->message.parser().is_header_done(); }
bool ResponseReader::complete() const { return state_->ended || state_->message.parser().is_done(); }
const ResponseHead& ResponseReader::head() const { return state_->message.parser().head(); }
bool ResponseReader::body_until_eof() const { return state_->message.parser().need_eof(); }

Result<void> ResponseReader::finish() {
  if (complete()) return {};
  if (!head_complete() || !body_until_eof()) return Error{ErrorKind::gateway_closed};
  state_->ended = true;
  return {};
}

}  // namespace chipgate::protocol
