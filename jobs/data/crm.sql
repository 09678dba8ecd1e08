-- Sample tables of a CRM: mixed types, foreign keys, NULLs, Unicode. Rows are counted up by recursive queries.
pragma journal_mode = off;
pragma synchronous = off;
begin;
create table Country (
  CountryId integer primary key,
  IsoCode char(2) not null unique,
  Name varchar(80) not null,
  Population bigint
);
insert into Country (CountryId, IsoCode, Name, Population)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 40) select i, char(65 + i / 26, 65 + i % 26), 'Country ' || i || case i % 5 when 0 then ' – Ö' else '' end, case when i % 7 = 0 then null else i * 1234567 end from n;
create table City (
  CityId integer primary key,
  CountryId integer not null references Country (CountryId),
  Name text not null,
  Latitude double precision,
  Longitude double precision
);
insert into City (CityId, CountryId, Name, Latitude, Longitude)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 400) select i, 1 + i % 40, 'City ' || i, (i * 37 % 180) - 90 + 0.25, (i * 91 % 360) - 180 + 0.125 from n;
create index CityByCountry on City (CountryId, Name);
create table Customer (
  CustomerId integer primary key,
  CityId integer references City (CityId),
  Name varchar(120) not null,
  Email text,
  IsActive boolean not null,
  CreatedAt timestamp not null,
  Birthday date,
  CreditLimit decimal(12,2),
  Note text
);
insert into Customer (CustomerId, CityId, Name, Email, IsActive, CreatedAt, Birthday, CreditLimit, Note)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) select i, case when i % 11 = 0 then null else 1 + i % 400 end, 'Customer ' || i || case i % 3 when 0 then ' 😀' when 1 then ' O''Neill' else '' end, case when i % 4 = 0 then null else 'c' || i || '@example.org' end, i % 2, datetime('2020-01-01', '+' || i || ' hours'), date('1950-01-01', '+' || (i * 7) || ' days'), case when i % 9 = 0 then null else (i * 131 % 100000) || '.' || substr('0' || (i % 100), -2) end, case when i % 6 = 0 then '' else 'line one' || char(10) || 'line ' || i end from n;
create unique index CustomerByEmail on Customer (Email);
create table Product (
  ProductId integer primary key,
  Sku varchar(20) not null unique,
  Title text not null,
  Price decimal(10,2) not null,
  Weight real,
  Picture blob,
  Tags json
);
insert into Product (ProductId, Sku, Title, Price, Weight, Picture, Tags)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 500) select i, 'SKU-' || i, 'Product ' || i, (i * 17 % 1000) || '.99', case when i % 8 = 0 then null else i * 0.5 end, case when i % 10 = 0 then null else zeroblob(i % 64) end, json_object('n', i, 'even', i % 2 = 0) from n;
create table "Order" (
  OrderId integer primary key,
  CustomerId integer not null references Customer (CustomerId),
  PlacedAt datetime not null,
  Total decimal(14,2),
  Status varchar(20) not null
);
insert into "Order" (OrderId, CustomerId, PlacedAt, Total, Status)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000) select i, 1 + i % 2000, datetime('2023-01-01', '+' || i || ' minutes'), (i * 7919 % 100000) || '.' || substr('0' || (i % 100), -2), case i % 4 when 0 then 'new' when 1 then 'paid' when 2 then 'sent' else 'closed' end from n;
create index OrderByCustomer on "Order" (CustomerId);
create table OrderLine (
  OrderId integer not null references "Order" (OrderId) on delete cascade,
  LineNumber integer not null,
  ProductId integer not null references Product (ProductId),
  Quantity integer not null,
  Price decimal(10,2) not null,
  primary key (OrderId, LineNumber)
);
insert into OrderLine (OrderId, LineNumber, ProductId, Quantity, Price)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 120000) select 1 + (i - 1) / 2, 1 + (i - 1) % 2, 1 + i % 500, 1 + i % 9, (i * 13 % 500) || '.50' from n;
create table Campaign (
  CampaignId integer primary key,
  CustomerId integer references Customer (CustomerId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Campaign (CampaignId, CustomerId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1) select i, case when i % 3 = 0 then null else 1 end, 'Campaign ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index CampaignByDay on Campaign (Day, IsDone);
delete from Campaign;
create table Channel (
  ChannelId integer primary key,
  CustomerId integer references Customer (CustomerId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Channel (ChannelId, CustomerId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1) select i, case when i % 3 = 0 then null else 1 end, 'Channel ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index ChannelByDay on Channel (Day, IsDone);
create table Segment (
  SegmentId integer primary key,
  ChannelId integer references Channel (ChannelId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Segment (SegmentId, ChannelId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 50) select i, case when i % 3 = 0 then null else 1 end, 'Segment ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index SegmentByDay on Segment (Day, IsDone);
create table Template (
  TemplateId integer primary key,
  SegmentId integer references Segment (SegmentId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Template (TemplateId, SegmentId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 300) select i, case when i % 3 = 0 then null else 1 end, 'Template ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index TemplateByDay on Template (Day, IsDone);
create table Message (
  MessageId integer primary key,
  TemplateId integer references Template (TemplateId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Message (MessageId, TemplateId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200) select i, case when i % 3 = 0 then null else 1 end, 'Message ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index MessageByDay on Message (Day, IsDone);
create table Delivery (
  DeliveryId integer primary key,
  MessageId integer references Message (MessageId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Delivery (DeliveryId, MessageId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1) select i, case when i % 3 = 0 then null else 1 end, 'Delivery ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index DeliveryByDay on Delivery (Day, IsDone);
delete from Delivery;
create table Click (
  ClickId integer primary key,
  MessageId integer references Message (MessageId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Click (ClickId, MessageId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1) select i, case when i % 3 = 0 then null else 1 end, 'Click ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index ClickByDay on Click (Day, IsDone);
create table Bounce (
  BounceId integer primary key,
  ClickId integer references Click (ClickId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Bounce (BounceId, ClickId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 50) select i, case when i % 3 = 0 then null else 1 end, 'Bounce ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index BounceByDay on Bounce (Day, IsDone);
create table Subscription (
  SubscriptionId integer primary key,
  BounceId integer references Bounce (BounceId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Subscription (SubscriptionId, BounceId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 300) select i, case when i % 3 = 0 then null else 1 end, 'Subscription ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index SubscriptionByDay on Subscription (Day, IsDone);
create table Consent (
  ConsentId integer primary key,
  SubscriptionId integer references Subscription (SubscriptionId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Consent (ConsentId, SubscriptionId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200) select i, case when i % 3 = 0 then null else 1 end, 'Consent ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index ConsentByDay on Consent (Day, IsDone);
create table Employee (
  EmployeeId integer primary key,
  ConsentId integer references Consent (ConsentId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Employee (EmployeeId, ConsentId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1) select i, case when i % 3 = 0 then null else 1 end, 'Employee ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index EmployeeByDay on Employee (Day, IsDone);
delete from Employee;
create table Department (
  DepartmentId integer primary key,
  ConsentId integer references Consent (ConsentId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Department (DepartmentId, ConsentId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1) select i, case when i % 3 = 0 then null else 1 end, 'Department ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index DepartmentByDay on Department (Day, IsDone);
create table Team (
  TeamId integer primary key,
  DepartmentId integer references Department (DepartmentId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Team (TeamId, DepartmentId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 50) select i, case when i % 3 = 0 then null else 1 end, 'Team ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index TeamByDay on Team (Day, IsDone);
create table Ticket (
  TicketId integer primary key,
  TeamId integer references Team (TeamId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Ticket (TicketId, TeamId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 300) select i, case when i % 3 = 0 then null else 1 end, 'Ticket ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index TicketByDay on Ticket (Day, IsDone);
create table TicketComment (
  TicketCommentId integer primary key,
  TicketId integer references Ticket (TicketId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into TicketComment (TicketCommentId, TicketId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200) select i, case when i % 3 = 0 then null else 1 end, 'TicketComment ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index TicketCommentByDay on TicketComment (Day, IsDone);
create table Invoice (
  InvoiceId integer primary key,
  TicketCommentId integer references TicketComment (TicketCommentId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Invoice (InvoiceId, TicketCommentId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1) select i, case when i % 3 = 0 then null else 1 end, 'Invoice ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index InvoiceByDay on Invoice (Day, IsDone);
delete from Invoice;
create table Payment (
  PaymentId integer primary key,
  TicketCommentId integer references TicketComment (TicketCommentId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Payment (PaymentId, TicketCommentId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1) select i, case when i % 3 = 0 then null else 1 end, 'Payment ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index PaymentByDay on Payment (Day, IsDone);
create table Refund (
  RefundId integer primary key,
  PaymentId integer references Payment (PaymentId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Refund (RefundId, PaymentId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 50) select i, case when i % 3 = 0 then null else 1 end, 'Refund ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index RefundByDay on Refund (Day, IsDone);
create table Shipment (
  ShipmentId integer primary key,
  RefundId integer references Refund (RefundId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Shipment (ShipmentId, RefundId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 300) select i, case when i % 3 = 0 then null else 1 end, 'Shipment ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index ShipmentByDay on Shipment (Day, IsDone);
create table Warehouse (
  WarehouseId integer primary key,
  ShipmentId integer references Shipment (ShipmentId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Warehouse (WarehouseId, ShipmentId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200) select i, case when i % 3 = 0 then null else 1 end, 'Warehouse ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index WarehouseByDay on Warehouse (Day, IsDone);
create table Stock (
  StockId integer primary key,
  WarehouseId integer references Warehouse (WarehouseId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Stock (StockId, WarehouseId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1) select i, case when i % 3 = 0 then null else 1 end, 'Stock ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index StockByDay on Stock (Day, IsDone);
delete from Stock;
create table Supplier (
  SupplierId integer primary key,
  WarehouseId integer references Warehouse (WarehouseId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Supplier (SupplierId, WarehouseId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1) select i, case when i % 3 = 0 then null else 1 end, 'Supplier ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index SupplierByDay on Supplier (Day, IsDone);
create table Contract (
  ContractId integer primary key,
  SupplierId integer references Supplier (SupplierId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Contract (ContractId, SupplierId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 50) select i, case when i % 3 = 0 then null else 1 end, 'Contract ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index ContractByDay on Contract (Day, IsDone);
create table Attachment (
  AttachmentId integer primary key,
  ContractId integer references Contract (ContractId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Attachment (AttachmentId, ContractId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 300) select i, case when i % 3 = 0 then null else 1 end, 'Attachment ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index AttachmentByDay on Attachment (Day, IsDone);
create table AuditEntry (
  AuditEntryId integer primary key,
  AttachmentId integer references Attachment (AttachmentId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into AuditEntry (AuditEntryId, AttachmentId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200) select i, case when i % 3 = 0 then null else 1 end, 'AuditEntry ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index AuditEntryByDay on AuditEntry (Day, IsDone);
create table Setting (
  SettingId integer primary key,
  AuditEntryId integer references AuditEntry (AuditEntryId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into Setting (SettingId, AuditEntryId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1) select i, case when i % 3 = 0 then null else 1 end, 'Setting ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index SettingByDay on Setting (Day, IsDone);
delete from Setting;
create table ExchangeRate (
  ExchangeRateId integer primary key,
  AuditEntryId integer references AuditEntry (AuditEntryId),
  Label varchar(60) not null,
  Amount decimal(18,4),
  Ratio double precision,
  HappenedAt timestamp,
  Day date,
  IsDone boolean not null,
  Payload blob,
  Comment text
);
insert into ExchangeRate (ExchangeRateId, AuditEntryId, Label, Amount, Ratio, HappenedAt, Day, IsDone, Payload, Comment)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1) select i, case when i % 3 = 0 then null else 1 end, 'ExchangeRate ' || i, case when i % 5 = 0 then null else (i * 31 % 9999) || '.' || substr('000' || (i % 10000), -4) end, i / 7.0, datetime('2024-02-28 23:59:59', '+' || i || ' seconds'), date('2024-01-01', '+' || i || ' days'), i % 2, case when i % 4 = 0 then x'' else x'00ff10' end, case i % 4 when 0 then null when 1 then '' when 2 then 'ä✓' else 'plain' end from n;
create index ExchangeRateByDay on ExchangeRate (Day, IsDone);
create table tmp_import (
  Line text
);
insert into tmp_import (Line)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select 'left out ' || i from n;
commit;
