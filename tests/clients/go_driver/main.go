// Go's net/http, driven by jobs as the other clients under test are.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

type job struct {
	ID      int      `json:"id"`
	Task    string   `json:"task"`
	Proxy   string   `json:"proxy"`
	URL     string   `json:"url"`
	URLs    []string `json:"urls"`
	Bytes   int      `json:"bytes"`
	Message string   `json:"message"`
	HTTPS   string   `json:"https"`
	Limit   int      `json:"limit"` // seconds; 0 is none
}

type answer map[string]any

func pattern(count int) []byte {
	data := make([]byte, count)
	for i := range data {
		data[i] = byte(i % 251)
	}
	return data
}

func page(client *http.Client, ask job) (answer, error) {
	reply, err := client.Get(ask.URL)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	return answer{"status": reply.StatusCode, "body": string(body)}, err
}

func upload(client *http.Client, ask job) (answer, error) {
	reply, err := client.Post(ask.URL, "application/octet-stream", bytes.NewReader(pattern(ask.Bytes)))
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	return answer{"body": string(body)}, err
}

func download(client *http.Client, ask job) (answer, error) {
	reply, err := client.Get(ask.URL)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	hash := sha256.New()
	count, err := io.Copy(hash, reply.Body)
	return answer{"bytes": count, "sha256": hex.EncodeToString(hash.Sum(nil))}, err
}

func together(client *http.Client, ask job) (answer, error) {
	bodies := make([]string, len(ask.URLs))
	failures := make([]error, len(ask.URLs))
	var all sync.WaitGroup
	for i, one := range ask.URLs {
		all.Add(1)
		go func(i int, one string) {
			defer all.Done()
			got, err := page(client, job{URL: one})
			if err != nil {
				failures[i] = err
				return
			}
			bodies[i] = got["body"].(string)
		}(i, one)
	}
	all.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return answer{"bodies": bodies}, nil
}

// As whatsmeow's library does: net/http upgrades, and what follows goes over the body of its answer.
func upgrade(client *http.Client, url, protocol string, more map[string]string) (io.ReadWriteCloser, error) {
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", protocol)
	for name, value := range more {
		request.Header.Set(name, value)
	}
	reply, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	stream, upgraded := reply.Body.(io.ReadWriteCloser)
	if reply.StatusCode != http.StatusSwitchingProtocols || !upgraded {
		reply.Body.Close()
		return nil, errors.New(reply.Status)
	}
	return stream, nil
}

func websocket(client *http.Client, ask job) (answer, error) {
	stream, err := upgrade(client, strings.Replace(ask.URL, "wss:", "https:", 1), "websocket", map[string]string{
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	// A text in one masked frame; the mask is zero.
	frame := append([]byte{0x81, 0x80 | byte(len(ask.Message)), 0, 0, 0, 0}, ask.Message...)
	if _, err := stream.Write(frame); err != nil {
		return nil, err
	}
	var head struct{ Kind, Size uint8 }
	if err := binary.Read(stream, binary.BigEndian, &head); err != nil {
		return nil, err
	}
	text := make([]byte, head.Size)
	_, err = io.ReadFull(stream, text)
	return answer{"answer": string(text)}, err
}

// The body of an upgrade has no end of its own; the connection that the caller dialed has.
func halfClose(client *http.Client, ask job) (answer, error) {
	var dialed *net.TCPConn
	client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			dialed = conn.(*net.TCPConn)
		}
		return conn, err
	}
	stream, err := upgrade(client, ask.HTTPS+"/upgrade", "reverse", nil)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	if _, err := io.WriteString(stream, ask.Message); err != nil {
		return nil, err
	}
	if err := dialed.CloseWrite(); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(stream)
	return answer{"answer": string(text)}, err
}

var tasks = map[string]func(*http.Client, job) (answer, error){
	"page": page, "upload": upload, "download": download, "together": together, "websocket": websocket,
	"half_close": halfClose,
}

func run(ask job) (answer, error) {
	proxy, err := url.Parse(ask.Proxy)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSHandshakeTimeout: 10 * time.Second}
	defer transport.CloseIdleConnections()
	return tasks[ask.Task](&http.Client{Transport: transport, Timeout: time.Duration(ask.Limit) * time.Second}, ask)
}

func main() {
	var printing sync.Mutex
	fmt.Println(`{"event": "ready"}`)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var ask job
		if err := json.Unmarshal(lines.Bytes(), &ask); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() {
			started := time.Now()
			got, err := run(ask)
			if err != nil {
				got = answer{"error": err.Error()}
			}
			got["id"], got["seconds"] = ask.ID, time.Since(started).Seconds()
			got["at"] = float64(time.Now().UnixMilli()) / 1000
			line, _ := json.Marshal(got)
			printing.Lock()
			defer printing.Unlock()
			fmt.Println(string(line))
		}()
	}
}
